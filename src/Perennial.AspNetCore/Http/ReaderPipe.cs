using System.Buffers;
using System.IO.Pipelines;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Diagnostics;

namespace Perennial.AspNetCore.Http;

/// <summary>A response body and the limit on how long its reader may leave it unread.</summary>
/// <param name="body">The body.</param>
/// <param name="kind">How it is read.</param>
/// <param name="stalled">Cancelled when the limit is reached.</param>
/// <param name="limit">The limit.</param>
internal sealed class ReaderPipe(PipeWriter body, ReaderKind kind, CancellationTokenSource stalled, TimeSpan limit)
{
    private long _unflushed;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        body.Write(bytes);
        _unflushed += bytes.Length;
    }

    /// <summary>Completes when there is room for more. Whether the peer is gone is not asked here: RequestAborted says so, on every server.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        PerennialServerTelemetry.CountDelivered(kind, _unflushed);
        _unflushed = 0;
        var flush = body.FlushAsync(cancellationToken);
        if (!flush.IsCompletedSuccessfully)
            return WaitAsync(flush);
        _ = flush.Result;
        return ValueTask.CompletedTask;
    }

    private async ValueTask WaitAsync(ValueTask<FlushResult> flush)
    {
        stalled.CancelAfter(limit);
        await flush;
        stalled.CancelAfter(Timeout.InfiniteTimeSpan);
    }
}
