using System.Buffers;
using System.IO.Pipelines;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Http;

/// <summary>A reader of a response body, with a limit on the time that it may leave sent data unread.</summary>
/// <param name="body">The body.</param>
/// <param name="kind">The form of the response.</param>
/// <param name="stalled">Cancelled when the limit is reached.</param>
/// <param name="limit">The limit.</param>
internal abstract class BodySink(PipeWriter body, ReaderKind kind, CancellationTokenSource stalled, TimeSpan limit) : IRunSink
{
    private ReadOnlyMemory<byte> _last;     // the last added bytes, written together with the flush, which costs much less
    private long _unflushed;

    public abstract void Write(RunRecord record);

    public abstract void Write(ControlEvent control);

    public abstract void WriteHeartbeat();

    /// <summary>
    /// Sends the added bytes, and waits until there is room for more. RequestAborted reports, on every server, that the peer is gone.
    /// </summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        PerennialServerTelemetry.CountDelivered(kind.Name(), _unflushed);
        _unflushed = 0;
        var last = _last;
        _last = default;
        var flush = last.IsEmpty ? body.FlushAsync(cancellationToken) : body.WriteAsync(last, cancellationToken);
        if (!flush.IsCompletedSuccessfully)
        {
            return WaitAsync(flush);
        }

        _ = flush.Result;
        return ValueTask.CompletedTask;
    }

    /// <summary>Adds bytes to the next flush. The bytes must not change until then.</summary>
    protected void Add(ReadOnlyMemory<byte> bytes)
    {
        if (!_last.IsEmpty)
        {
            body.Write(_last.Span);
        }

        _last = bytes;
        _unflushed += bytes.Length;
    }

    private async ValueTask WaitAsync(ValueTask<FlushResult> flush)
    {
        stalled.CancelAfter(limit);
        await flush;
        stalled.CancelAfter(Timeout.InfiniteTimeSpan);
    }
}
