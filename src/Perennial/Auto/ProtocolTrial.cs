namespace Perennial.Auto;

/// <summary>
/// One request for one protocol, or for two of which the server chooses one. Limits its time, and waits for the first byte if the server
/// promises one.
/// </summary>
/// <param name="opener">Sends the request.</param>
/// <param name="asked">The requested protocols.</param>
/// <param name="time">The clock.</param>
/// <param name="share">The time limit while an alternative is left.</param>
/// <param name="onHeard">Called when the first bytes arrive.</param>
internal sealed class ProtocolTrial(
    ProtocolOpener opener, IReadOnlyList<AutoProtocol> asked, TimeProvider time, TimeSpan share, Action<AutoProtocol> onHeard)
{
    /// <summary>The protocol that the server chose. Null until the server responded with a stream.</summary>
    public AutoProtocol? Chosen { get; private set; }

    /// <summary>Whether the request failed because the connection would start the stream again instead of resuming it.</summary>
    public bool CannotResume { get; private set; }

    /// <summary>Opens the connection.</summary>
    /// <param name="context">The number of the attempt, and the id after which to resume.</param>
    /// <param name="hasAlternative">Returns whether another protocol is left to try. Called again after the response.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="TransportException">The connection cannot be used.</exception>
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
            throw TimedOut(e);
        }
    }

    private TransportException TimedOut(OperationCanceledException e) => Chosen is null
        ? new TransportException(TransportErrorCode.ConnectTimeout, $"No response within {share}.", isTransient: true, e)
        : new TransportException(
            TransportErrorCode.IdleTimeout,
            $"The connection was accepted, but no byte arrived within {share}, although the server promised to send at once.",
            isTransient: true,
            e);

    /// <summary>
    /// Some servers accept every WebSocket, whatever the path. A WebSocket without perennial.v1 may thus belong to another application.
    /// </summary>
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
                "The server's WebSocket does not speak perennial.v1. Read it with a WebSocketTransport, or set WebSocket.AllowPlain.");
        }

        CannotResume = context.LastEventId is not null;
        if (CannotResume)
        {
            throw new TransportException(
                TransportErrorCode.Interrupted,
                "The server's WebSocket does not speak perennial.v1: it would start the stream again instead of resuming it.");
        }
    }
}
