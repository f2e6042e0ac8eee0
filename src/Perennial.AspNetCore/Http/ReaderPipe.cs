using System.Buffers;
using System.IO.Pipelines;

namespace Perennial.AspNetCore.Http;

/// <summary>A response body and the limit on how long its reader may leave it unread.</summary>
/// <param name="body">The body.</param>
/// <param name="stalled">Cancelled when the limit is reached.</param>
/// <param name="limit">The limit.</param>
internal sealed class ReaderPipe(PipeWriter body, CancellationTokenSource stalled, TimeSpan limit)
{
    public void Write(ReadOnlySpan<byte> bytes) => body.Write(bytes);

    /// <summary>Completes when there is room for more. Whether the peer is gone is not asked here: RequestAborted says so, on every server.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
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
