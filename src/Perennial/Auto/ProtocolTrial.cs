namespace Perennial.Auto;

/// <summary>One request for one protocol, or for two of which the server chooses: within its time, and to the first byte where one is promised.</summary>
/// <param name="opener">Makes the request.</param>
/// <param name="asked">What is asked for.</param>
/// <param name="time">The clock.</param>
/// <param name="share">The time there is, where there is an alternative.</param>
/// <param name="onHeard">Called with the first bytes.</param>
internal sealed class ProtocolTrial(
    ProtocolOpener opener, IReadOnlyList<AutoProtocol> asked, TimeProvider time, TimeSpan share, Action<AutoProtocol> onHeard)
{
    /// <summary>What the server chose, once it answered by a stream.</summary>
    public AutoProtocol? Chosen { get; private set; }

    /// <summary>Whether it failed because it would start the stream anew.</summary>
    public bool CannotResume { get; private set; }

    /// <summary>Opens the connection.</summary>
    /// <param name="context">Where to resume.</param>
    /// <param name="hasAlternative">Whether anything is left to be tried should this take too long; asked again once there is an answer.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TransportException">It cannot be used.</exception>
    public async ValueTask<AutoConnection> RunAsync(ConnectContext context, Func<bool> hasAlternative, CancellationToken cancellationToken)
    {
        var isTimed = hasAlternative();
        using var timer = new CancellationTokenSource(isTimed ? share : Timeout.InfiniteTimeSpan, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            var (protocol, opened) = await opener.OpenAsync(asked, context, share / 2, limit.Token).ConfigureAwait(false);
            Chosen = protocol;
            var connection = new AutoConnection(protocol, opened, onHeard);
            try
            {
                ThrowIfPlain(connection, context);
                if (hasAlternative() && connection.SpeaksPerennial)
                {
                    if (!isTimed)
                    {
                        timer.CancelAfter(share);
                    }

                    await connection.ListenAsync(limit.Token).ConfigureAwait(false);
                }

                return connection;
            }
            catch
            {
                await connection.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Chosen is null
                ? new TransportException(TransportErrorCode.ConnectTimeout, $"No answer within {share}.", isTransient: true, e)
                : new TransportException(TransportErrorCode.IdleTimeout, $"Accepted, and no byte within {share} although the server speaks at once.", isTransient: true, e);
        }
    }

    /// <summary>Some servers accept every WebSocket, whatever the path: one without perennial.v1 may be another application's.</summary>
    private void ThrowIfPlain(AutoConnection connection, ConnectContext context)
    {
        if (connection is not { Protocol: AutoProtocol.WebSocket, SpeaksPerennial: false })
        {
            return;
        }

        if (!opener.AllowsPlainWebSocket)
        {
            throw new TransportException(
                TransportErrorCode.ProtocolViolation,
                "The WebSocket here does not speak perennial.v1. Read it with a WebSocketTransport, or set WebSocket.AllowPlain.");
        }

        CannotResume = context.LastEventId is not null;
        if (CannotResume)
        {
            throw new TransportException(
                TransportErrorCode.Interrupted, "The server's WebSocket does not speak perennial.v1: it would start the stream again, not resume it.");
        }
    }
}
