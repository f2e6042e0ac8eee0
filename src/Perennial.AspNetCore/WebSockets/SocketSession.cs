using System.Net.WebSockets;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>One WebSocket from its opening to its close: one task writes, one reads, and whichever ends first ends the other.</summary>
/// <param name="socket">The socket.</param>
/// <param name="sink">What the writing task writes to.</param>
/// <param name="receiver">The reading task.</param>
/// <param name="time">The clock for a moment's pause, which a shutdown ends.</param>
internal sealed class SocketSession(WebSocket socket, ISocketSink sink, SocketReceiver receiver, TimeProvider time)
{
    private static readonly TimeSpan TimeToLeave = TimeSpan.FromMilliseconds(250);

    private int? _broken;           // the code for a client that broke the rules

    /// <summary>Sends the run, takes what the client sends, and says goodbye. Returns when the socket is closed or aborted.</summary>
    /// <param name="delivery">Sends the run to its end, over the sink.</param>
    /// <param name="place">Where to begin.</param>
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

    /// <summary>Returns the code to close with, or null where there is nobody to say goodbye to.</summary>
    private async Task<int?> WriteAsync(RunDelivery delivery, ReaderPlace place, CancellationTokenSource leave, CancellationToken stopping)
    {
        try
        {
            await delivery.SendAsync(place, leave.Token);
            await leave.CancelAsync();      // what comes now is not taken: nobody would answer it
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

        // The socket says goodbye by itself to a peer that breaks RFC 6455; that must not be cut off either.
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
            // The peer broke RFC 6455, and the socket has said goodbye by itself; that needs a moment to leave, or the end would take it along.
            await Task.Delay(TimeToLeave, time, leave.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception e) when (SocketErrors.IsGone(e))
        {
        }

        await leave.CancelAsync();
        await receiver.DrainAsync();
    }
}
