namespace Perennial.Transports.Redis;

/// <summary>
/// A transport that reads a Redis stream, or Pub/Sub channels, and adds or publishes messages. Thread safe as described for
/// <see cref="Transport"/>.
/// </summary>
/// <remarks>
/// A stream resumes exactly, over lost connections and in other processes, by the ids of its entries. Entries that were trimmed or deleted
/// before they were read are a gap. Pub/Sub keeps nothing, so each lost connection is a gap, and there is no
/// <see cref="Transport.ResumePoint"/>. Neither has an end; use <see cref="TransportOptions.Classify"/> where a message marks it. A sent
/// message is acknowledged by the server's reply; if the connection is lost before, its outcome is unknown.
/// </remarks>
public sealed class RedisTransport : Transport
{
    private readonly RedisTransportOptions _options;
    private readonly TimeProvider _time;
    private bool _hasBegun;         // a connection was open before; used by one attempt at a time

    /// <summary>Creates a transport and validates the options. Does not connect.</summary>
    /// <param name="options">The options of the transport.</param>
    /// <param name="services">Clock, random source and logging. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    public RedisTransport(RedisTransportOptions options, TransportServices? services = null)
        : base(RedisTransportKind.Name, options, services)
    {
        _options = options;
        _time = (services ?? TransportServices.Default).Time;
    }

    /// <inheritdoc/>
    protected override async ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken)
    {
        List<RedisLink> links = [];
        try
        {
            links.Add(await RedisLink.OpenAsync(_options, cancellationToken).ConfigureAwait(false));
            TransportConnection connection;
            if (_options.StreamKey is { } key)
            {
                if (_options.CanSend)
                {
                    links.Add(await RedisLink.OpenAsync(_options, cancellationToken).ConfigureAwait(false));
                }

                connection = await StreamConnection.OpenAsync(links[0], links.ElementAtOrDefault(1), _options, key, context.LastEventId)
                    .WaitAsync(cancellationToken)
                    .ConfigureAwait(false);
            }
            else
            {
                // After a message without an id, the engine announces the gap itself.
                var announcesGap = _hasBegun && !context.HasDelivered;
                connection = await ChannelConnection.OpenAsync(links[0], _options, announcesGap, _time)
                    .WaitAsync(cancellationToken)
                    .ConfigureAwait(false);
            }

            _hasBegun = true;
            return connection;
        }
        catch (Exception e)
        {
            foreach (var link in links)
            {
                await link.DisposeAsync().ConfigureAwait(false);
            }

            if (e is OperationCanceledException && cancellationToken.IsCancellationRequested)
            {
                throw;
            }

            throw RedisErrors.From(e, isOpening: true);
        }
    }
}
