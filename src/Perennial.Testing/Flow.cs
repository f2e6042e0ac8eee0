using System.Buffers;
using System.Net.Sockets;

namespace Perennial.Testing;

/// <summary>Carries the bytes of one direction of a connection in order, and does to them what the plan says.</summary>
internal sealed class Flow(ProxiedConnection connection, Socket source, Socket target, FlowFaults faults, Action<int> count)
{
    private const int BufferBytes = 64 * 1024;

    private readonly Gate _stall = new();
    private readonly ByteMoment _stallMoment = new(faults.Stall?.When);
    private readonly ByteMoment _cutMoment = new(faults.Cut?.When);
    private readonly Pacer? _pacer = faults.Pacing is { } pacing ? new Pacer(pacing, connection.Time) : null;
    private long _position;        // bytes sent, or on their way into the socket
    private bool _hasStalled;      // a stall that bytes decide happens once

    /// <summary>
    /// Carries bytes until the plan cuts the connection, or the source ends; then the target is half-closed in the same way.
    /// </summary>
    /// <exception cref="SocketException">One of the two sides is gone.</exception>
    public async Task PumpAsync(CancellationToken stop)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (true)
            {
                await PassGatesAsync(stop).ConfigureAwait(false);
                var received = await source.ReceiveAsync(buffer.AsMemory(), stop).ConfigureAwait(false);
                if (received == 0)
                {
                    break;
                }

                if (!await CarryAsync(buffer.AsMemory(0, received), stop).ConfigureAwait(false))
                {
                    return;
                }
            }
            await PassGatesAsync(stop).ConfigureAwait(false);
            target.Shutdown(SocketShutdown.Send);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Waits for the faults that the clock decides.</summary>
    public Task RunTimedFaultsAsync(CancellationToken stop)
    {
        return Task.WhenAll(StallAtItsTimeAsync(), CutAtItsTimeAsync());

        async Task StallAtItsTimeAsync()
        {
            if (faults.Stall?.When.Elapsed is not { } elapsed)
            {
                return;
            }

            await Task.Delay(elapsed, connection.Time, stop).ConfigureAwait(false);
            _stall.Close();
            await WaitOutStallAsync(stop).ConfigureAwait(false);
        }

        async Task CutAtItsTimeAsync()
        {
            if (faults.Cut is not ({ Elapsed: { } elapsed }, var how))
            {
                return;
            }

            await Task.Delay(elapsed, connection.Time, stop).ConfigureAwait(false);
            connection.Cut(how);
        }
    }

    /// <summary>Ends a stall that is under way.</summary>
    public void Resume() => _stall.Open();

    /// <summary>Ends a stall that is under way, and allows no other.</summary>
    public void ResumeForGood() => _stall.Remove();

    private async Task PassGatesAsync(CancellationToken stop)
    {
        await _stall.Opened.WaitAsync(stop).ConfigureAwait(false);
        await connection.LineGate.Opened.WaitAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Sends a block on, and returns whether the flow goes on after it.</summary>
    private async Task<bool> CarryAsync(ReadOnlyMemory<byte> block, CancellationToken stop)
    {
        _stallMoment.Observe(block.Span);
        _cutMoment.Observe(block.Span);
        if (TryBeginStall(_position))
        {
            await WaitOutStallAsync(stop).ConfigureAwait(false);
        }

        while (!block.IsEmpty)
        {
            var nextFault = Math.Min(_cutMoment.At, _hasStalled ? long.MaxValue : _stallMoment.At);
            var free = (int)Math.Min(block.Length, nextFault - _position);
            await SendAsync(block[..free], stop).ConfigureAwait(false);
            block = block[free..];
            if (_position == _cutMoment.At)
            {
                await CutAsync(stop).ConfigureAwait(false);
                return false;
            }
        }
        return true;
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (!bytes.IsEmpty)
        {
            await PassGatesAsync(stop).ConfigureAwait(false);
            var piece = bytes[..(_pacer?.Next(bytes.Length) ?? bytes.Length)];
            bytes = bytes[piece.Length..];
            _position += piece.Length;

            // Before the bytes leave, so that whoever has received them finds them counted and the stall begun.
            count(piece.Length);
            var stalls = TryBeginStall(_position);
            await SendWholeAsync(piece, stop).ConfigureAwait(false);
            if (stalls)
            {
                await WaitOutStallAsync(stop).ConfigureAwait(false);
            }

            if (_pacer?.PauseAfter(piece.Length) is { } pause && pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, connection.Time, stop).ConfigureAwait(false);
            }
        }
    }

    private async Task SendWholeAsync(ReadOnlyMemory<byte> piece, CancellationToken stop)
    {
        while (!piece.IsEmpty)
        {
            piece = piece[await target.SendAsync(piece, stop).ConfigureAwait(false)..];
        }
    }

    private bool TryBeginStall(long position)
    {
        if (_hasStalled || position != _stallMoment.At)
        {
            return false;
        }

        _hasStalled = true;
        _stall.Close();
        return true;
    }

    private async Task WaitOutStallAsync(CancellationToken stop)
    {
        var lasting = faults.Stall?.Lasting ?? Timeout.InfiniteTimeSpan;
        try
        {
            await _stall.Opened.WaitAsync(lasting, connection.Time, stop).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _stall.Open();
        }
    }

    private async Task CutAsync(CancellationToken stop)
    {
        var how = faults.Cut!.Value.How;
        if (how == CutMode.Reset)
        {
            await target.WaitForDeliveryAsync(stop).ConfigureAwait(false);
        }

        connection.Cut(how);
    }
}
