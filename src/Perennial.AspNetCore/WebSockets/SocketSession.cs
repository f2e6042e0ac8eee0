using System.Net.WebSockets;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>One WebSocket from its opening to its close. One task writes and one reads; the first that ends also ends the other.</summary>
/// <param name="socket">The socket.</param>
/// <param name="sink">The output of the writing task.</param>
/// <param name="receiver">The reading task.</param>
/// <param name="time">The clock for a short pause, which a shutdown ends.</param>
internal sealed class SocketSession(WebSocket socket, ISocketSink sink, SocketReceiver receiver, TimeProvider time)
{
    private static readonly TimeSpan TimeToLeave = TimeSpan.FromMilliseconds(250);

    private int? _broken;           // the close code for a client that violated the protocol

    /// <summary>Sends the run, handles the client's messages, and closes. Returns when the socket is closed or aborted.</summary>
    /// <param name="delivery">Sends the run to its end, over the sink.</param>
    /// <param name="place">The place to begin.</param>
    /// <param name="aborted">Cancelled when the connection is gone.</param>
    /// <param name="stopping">Cancelled when the host begins to stop.</param>
    public async Task RunAsync(RunDelivery delivery, ReaderPlace place, CancellationToken aborted, CancellationToken stopping)
    {
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(aborted, stopping);
        var reading = ReadAsync(leave);
        try
        {
            var code = await WriteAsync(delivery, place, leave, stopping);
            if (code is { } farewell && !aborted.IsCancellationRequested)
            {
                await SocketClose.CloseAsync(socket, farewell, reading);
            }
        }
        finally
        {
            if (socket.State != WebSocketState.Closed)
            {
                socket.Abort();     // a run that goes on must not seem to have ended
            }

            await reading;
        }
    }

    /// <summary>Returns the code to close with, or null if the peer is gone.</summary>
    private async Task<int?> WriteAsync(RunDelivery delivery, ReaderPlace place, CancellationTokenSource leave, CancellationToken stopping)
    {
        try
        {
            await delivery.SendAsync(place, leave.Token);
            await leave.CancelAsync();      // later messages are not handled, because they would get no answer
            return sink.EndCode;
        }
        catch (RunStoreException)
        {
            await leave.CancelAsync();
            return CloseCodes.TryLater;
        }
        catch (OperationCanceledException)
        {
            await leave.CancelAsync();
        }

        // The socket itself sends a close frame to a peer that violates RFC 6455. That frame must not be cut off either.
        if (socket.State is WebSocketState.CloseReceived or WebSocketState.CloseSent)
        {
            return CloseCodes.Done;
        }

        if (socket.State != WebSocketState.Open)
        {
            return null;
        }

        if (_broken is { } broken)
        {
            return broken;
        }

        return stopping.IsCancellationRequested && await TrySendAwayAsync() ? CloseCodes.Restarting : null;
    }

    private async Task<bool> TrySendAwayAsync()
    {
        using var limit = new CancellationTokenSource(SocketClose.Limit, SocketClose.Clock);
        sink.Write(ControlEvent.ComeBackSoon());
        try
        {
            await sink.FlushAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task ReadAsync(CancellationTokenSource leave)
    {
        try
        {
            _broken = await receiver.ReceiveAsync(leave.Token);
        }
        catch (RunStoreException)
        {
            _broken = CloseCodes.TryLater;
        }
        catch (WebSocketException e) when (e.WebSocketErrorCode != WebSocketError.ConnectionClosedPrematurely && !leave.IsCancellationRequested)
        {
            // The peer violated RFC 6455, and the socket has sent a close frame itself. An abort would discard the frame, so wait a moment.
            await Task.Delay(TimeToLeave, time, leave.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception e) when (SocketErrors.IsGone(e))
        {
        }

        await leave.CancelAsync();
        await receiver.DrainAsync();
    }
}
