using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;

namespace Perennial.WebSockets;

/// <summary>
/// Sends messages over one socket, one at a time. A send that nobody waits for any more goes on, since cancelling it would abort the
/// socket; the next waits for it, so that at most one message is held beyond its caller's patience. Thread safe.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore without a wait handle has nothing to free.")]
internal sealed class WebSocketSender(WebSocket socket)
{
    private SemaphoreSlim? _turn;       // made by the first send

    private SemaphoreSlim Turn => LazyInitializer.EnsureInitialized(ref _turn, static () => new SemaphoreSlim(1, 1))!;

    /// <summary>Completes when nothing else is being sent.</summary>
    public async ValueTask WaitForTurnAsync(CancellationToken cancellationToken)
    {
        await Turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        Turn.Release();
    }

    /// <summary>Sends one message.</summary>
    /// <exception cref="TransportException">It was not sent, or its fate is unknown.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended; the message may have been sent.</exception>
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
            throw new TransportException(TransportErrorCode.ConnectionLost, "The connection broke off while the message was being sent.", false, failure)
            {
                Delivery = DeliveryStatus.Unknown,
            };
        }
    }

    /// <summary>Sends a text whose fate nobody asks for: should the socket be gone, the reader finds out by itself.</summary>
    public async Task TrySendAsync(ReadOnlyMemory<byte> text)
    {
        try
        {
            await SendAsync(text, WebSocketMessageType.Text, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TransportException)
        {
            // Said above.
        }
    }

    /// <summary>Returns a failure rather than throwing it: there may be nobody left to observe it.</summary>
    private async Task<Exception?> SendToEndAsync(ReadOnlyMemory<byte> data, WebSocketMessageType type)
    {
        try
        {
            await socket.SendAsync(data, type, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            socket.Abort();         // part of a frame may have left: nothing can follow it, and the reader is to know at once
            return e;
        }
        finally
        {
            Turn.Release();
        }
    }
}
