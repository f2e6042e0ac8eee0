using System.Net.WebSockets;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Diagnostics;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>What is written to one WebSocket until the next flush sends it, in as few writes as possible. Used by one caller at a time.</summary>
internal sealed class SocketFrames(WebSocket socket, GatheringStream? stream, TimeSpan stallTimeout, TimeProvider time) : IAsyncDisposable
{
    private const int MostKept = 64;

    private List<(ReadOnlyMemory<byte> Payload, WebSocketMessageType Type)> _waiting = [];
    private ITimer? _stall;
    private ITimer? _goodbye;

    public void Add(ReadOnlyMemory<byte> payload, WebSocketMessageType type) => _waiting.Add((payload, type));

    /// <summary>Sends what was added.</summary>
    /// <exception cref="OperationCanceledException">The peer is gone, took nothing for too long, or did not take it before it had to go.</exception>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            var bytes = 0L;
            foreach (var (payload, _) in _waiting)
            {
                bytes += payload.Length;
            }

            PerennialServerTelemetry.CountDelivered(ReaderKind.WebSocket.Name(), bytes);
            for (var i = 0; i < _waiting.Count; i++)
            {
                if (stream is not null)
                {
                    stream.MoreFollows = i + 1 < _waiting.Count;
                }

                var sending = socket.SendAsync(_waiting[i].Payload, _waiting[i].Type, endOfMessage: true, CancellationToken.None);
                if (sending.IsCompleted)
                {
                    await sending;
                }
                else
                {
                    await WaitAsync(sending, cancellationToken);
                }
            }
        }
        catch (Exception e) when (SocketErrors.IsGone(e))
        {
            throw new OperationCanceledException("The peer is gone.", e, cancellationToken);
        }

        _waiting.Clear();
        if (_waiting.Capacity > MostKept)
        {
            _waiting = [];
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stall is not null)
        {
            await _stall.DisposeAsync();
        }

        if (_goodbye is not null)
        {
            await _goodbye.DisposeAsync();
        }
    }

    // A send that is cancelled aborts the socket, so it is given the time to end that a goodbye has.
    private async ValueTask WaitAsync(ValueTask sending, CancellationToken cancellationToken)
    {
        _stall ??= time.CreateTimer(static frames => ((SocketFrames)frames!).Cut(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _stall.Change(stallTimeout, Timeout.InfiniteTimeSpan);
        try
        {
            await using (cancellationToken.UnsafeRegister(static frames => ((SocketFrames)frames!).Hurry(), this))
            {
                await sending;
            }
        }
        finally
        {
            _stall.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _goodbye?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private void Hurry()
    {
        _goodbye ??= SocketClose.AbortAtLimit(socket);
        _goodbye.Change(SocketClose.Limit, Timeout.InfiniteTimeSpan);
    }

    private void Cut()
    {
        PerennialServerTelemetry.CountCut(ReaderKind.WebSocket.Name());
        socket.Abort();
    }
}
