using System.Buffers;
using System.IO.Pipelines;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Http;

/// <summary>A reader of a response body, and the limit on how long it may leave that unread.</summary>
/// <param name="body">The body.</param>
/// <param name="kind">How it is read.</param>
/// <param name="stalled">Cancelled when the limit is reached.</param>
/// <param name="limit">The limit.</param>
internal abstract class BodySink(PipeWriter body, ReaderKind kind, CancellationTokenSource stalled, TimeSpan limit) : IRunSink
{
    private ReadOnlyMemory<byte> _last;     // what was added last goes with the flush, since to do both at once costs much less
    private long _unflushed;

    public abstract void Write(RunRecord record);

    public abstract void Write(ControlEvent control);

    public abstract void WriteHeartbeat();

    /// <summary>Completes when there is room for more. Whether the peer is gone is not asked here: RequestAborted says so, on every server.</summary>
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

    /// <summary>Adds bytes to what the next flush sends. They do not change until then.</summary>
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
