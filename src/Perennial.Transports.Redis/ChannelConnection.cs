using System.Threading.Channels;
using StackExchange.Redis;

namespace Perennial.Transports.Redis;

/// <summary>Reads Pub/Sub messages. Redis does not wait for a subscriber, so what does not fit is lost, and announced.</summary>
internal sealed class ChannelConnection : RedisConnection
{
    private const int LargestBatch = 256;

    private readonly Channel<Received> _pending;
    private readonly Lock _gate = new();
    private readonly ITimer _pings;
    private bool _hasDropped;       // since the last message that was taken

    private ChannelConnection(
        RedisLink link, RedisTransportOptions options, bool announcesGap, TimeProvider time)
        : base(link, options.CanSend ? link : null, options, announcesGap)
    {
        _pending = Channel.CreateBounded<Received>(new BoundedChannelOptions(options.MaxPending) { SingleReader = true });
        _pings = time.CreateTimer(
            static self => _ = ((ChannelConnection)self!).PingAsync(), this, options.PingInterval, options.PingInterval);
        _ = link.Lost.ContinueWith(lost => _pending.Writer.TryComplete(lost.Exception!.InnerException), TaskScheduler.Default);
    }

    /// <summary>Subscribes, and returns once the server has confirmed everything.</summary>
    public static async Task<ChannelConnection> OpenAsync(
        RedisLink link, RedisTransportOptions options, bool announcesGap, TimeProvider time)
    {
        var connection = new ChannelConnection(link, options, announcesGap, time);
        var subscriber = link.Subscriber;
        foreach (var channel in options.AllChannels.Select(RedisChannel.Literal).Concat(options.AllPatterns.Select(RedisChannel.Pattern)))
        {
            (await subscriber.SubscribeAsync(channel).ConfigureAwait(false)).OnMessage(connection.Take);
        }

        return connection;
    }

    public override Uri? GetResumeEndpoint(Uri endpoint) => null;       // Redis keeps no messages

    public override async ValueTask DisposeAsync()
    {
        await _pings.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override async Task ReadMessagesAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            await _pending.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException e)
        {
            throw RedisErrors.From(e.InnerException ?? e);
        }

        while (batch.Count < LargestBatch && _pending.Reader.TryRead(out var message))
        {
            if (message.FollowsLoss)
            {
                AddGap(batch);
            }

            if (message.Data.Length > Options.MaxMessageBytes)
            {
                throw RedisErrors.TooLarge(Options.MaxMessageBytes);
            }

            batch.Add(message.Data, eventType: message.Channel);
            batch.BytesReceived += message.Data.Length + message.Channel.Length;
        }
    }

    private void Take(ChannelMessage message)
    {
        lock (_gate)
        {
            var received = new Received(message.Channel.ToString(), (byte[]?)message.Message ?? [], _hasDropped);
            _hasDropped = !_pending.Writer.TryWrite(received);
        }
    }

    private async Task PingAsync()
    {
        try
        {
            ReportPingAnswered(await Reader.Database.PingAsync().ConfigureAwait(false));
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection is lost, or was closed meanwhile.
        }
    }

    private readonly record struct Received(string Channel, byte[] Data, bool FollowsLoss);
}
