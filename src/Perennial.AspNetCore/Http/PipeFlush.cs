using System.IO.Pipelines;

namespace Perennial.AspNetCore.Http;

/// <summary>Flushes a response body.</summary>
internal static class PipeFlush
{
    /// <summary>The result is not asked whether the peer is gone: RequestAborted says so, on every server.</summary>
    public static ValueTask FlushAllAsync(this PipeWriter body, CancellationToken cancellationToken)
    {
        var flush = body.FlushAsync(cancellationToken);
        if (!flush.IsCompletedSuccessfully)
            return AwaitAsync(flush);
        _ = flush.Result;
        return ValueTask.CompletedTask;
    }

    private static async ValueTask AwaitAsync(ValueTask<FlushResult> flush) => await flush;
}
