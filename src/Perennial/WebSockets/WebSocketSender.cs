using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;

namespace Perennial.WebSockets;

/// <summary>
/// Sends messages over one socket, one at a time. A send whose caller stopped waiting continues, since cancelling it would abort the
/// socket. The next send waits for it, so at most one abandoned message is held in memory. Thread safe.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore without a wait handle has nothing to free.")]
internal sealed class WebSocketSender(WebSocket socket)
{
    private SemaphoreSlim? _turn;       // created by the first send

    private SemaphoreSlim Turn => LazyInitializer.EnsureInitialized(ref _turn, static () => new SemaphoreSlim(1, 1))!;

    /// <summary>Completes when no other message is being sent.</summary>
    public async ValueTask WaitForTurnAsync(CancellationToken cancellationToken)
    {
        await Turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        Turn.Release();
    }

    /// <summary>Sends one message.</summary>
    /// <exception cref="TransportException">The message was not sent, or its outcome is unknown.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled. The message may have been sent.</exception>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> data, WebSocketMessageType type, CancellationToken cancellationToken)
    {
        await Turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (socket.State != WebSocketState.Open)
        {
            Turn.Release();
            throw new TransportException(TransportErrorCode.ConnectionLost, "The connection is closing.", isTransient: true)
            {
                Delivery = DeliveryStatus.NotSent,
            };
        }

        var failure = await SendToEndAsync(data, type).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (failure is not null)
        {
            throw new TransportException(
                TransportErrorCode.ConnectionLost, "The connection was interrupted while the message was being sent.", false, failure)
            {
                Delivery = DeliveryStatus.Unknown,
            };
        }
    }

    /// <summary>Sends a text without reporting the outcome. If the socket is closed, the pending receive detects it.</summary>
    public async Task TrySendAsync(ReadOnlyMemory<byte> text)
    {
        try
        {
            await SendAsync(text, WebSocketMessageType.Text, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TransportException)
        {
            // The pending receive detects the error.
        }
    }

    /// <summary>Returns a failure instead of throwing it, because the caller may have stopped waiting.</summary>
    private async Task<Exception?> SendToEndAsync(ReadOnlyMemory<byte> data, WebSocketMessageType type)
    {
        try
        {
            await socket.SendAsync(data, type, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            socket.Abort();         // part of a frame may have left: no frame can follow, and the pending receive must end at once
            return e;
        }
        finally
        {
            Turn.Release();
        }
    }
}
