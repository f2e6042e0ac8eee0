using System.Net.WebSockets;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Diagnostics;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Collects messages for one WebSocket. A flush sends them in as few writes as possible. Used by one caller at a time.</summary>
/// <param name="socket">The socket, of which it does not take ownership.</param>
/// <param name="stream">The stream below the socket, if it can combine frames.</param>
/// <param name="kind">The form, for counters.</param>
/// <param name="stallTimeout">How long the peer may not read.</param>
/// <param name="time">The clock.</param>
internal sealed class SocketFrames(
    WebSocket socket, GatheringStream? stream, ReaderKind kind, TimeSpan stallTimeout, TimeProvider time) : IAsyncDisposable
{
    private const int MostKept = 64;

    private List<(ReadOnlyMemory<byte> Payload, WebSocketMessageType Type)> _waiting = [];
    private ITimer? _stall;
    private ITimer? _goodbye;

    /// <summary>The form, for counters.</summary>
    public ReaderKind Kind => kind;

    public void Add(ReadOnlyMemory<byte> payload, WebSocketMessageType type) => _waiting.Add((payload, type));

    /// <summary>Sends the collected messages.</summary>
    /// <exception cref="OperationCanceledException">
    /// The peer is gone, did not read for too long, or did not read the messages before the session had to end.
    /// </exception>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            var bytes = 0L;
            foreach (var (payload, _) in _waiting)
            {
                bytes += payload.Length;
            }

            PerennialServerTelemetry.CountDelivered(kind.Name(), bytes);
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

    // Cancelling a send aborts the socket, so the send gets the same time to end as closing.
    private async ValueTask WaitAsync(ValueTask sending, CancellationToken cancellationToken)
    {
        _stall ??= time.CreateTimer(
            static frames => ((SocketFrames)frames!).Cut(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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
        PerennialServerTelemetry.CountCut(kind.Name());
        socket.Abort();
    }
}
