using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.Gateway.Upstream;

namespace Perennial.Gateway.Exchanges;

/// <summary>
/// Sends streaming requests that a provider's client may repeat by itself as if they had a key, so that such a repeat joins the answer.
/// Safe from any
/// thread.
/// </summary>
internal sealed class RetryableRequests(SdkRetries retries, PaidOnce paid, StreamRuns runs, IOptions<PerennialServerOptions> server)
{
    private const int BlockBytes = 16 * 1024;
    private const int Overlap = 32;

    /// <summary>Answers a request that asks for a stream. Returns false if it is another request, whose body can still be read.</summary>
    public async ValueTask<bool> TryAnswerAsync(HttpContext context, GatewayUpstream upstream)
    {
        if (!SdkRetries.Concerns(context.Request))
        {
            return false;
        }

        var identity = await KeyedRequest.ReadAsync(context, upstream.Address, "", server.Value.Starts.MaxBodyBytes);
        context.Request.Body.Position = 0;
        if (identity is null || !await AsksForStreamAsync(context.Request.Body, context.RequestAborted))
        {
            context.Request.Body.Position = 0;
            return false;
        }

        context.Request.Body.Position = 0;
        var name = $"{identity.Name}\n{identity.Fingerprint}";
        var key = retries.KeyOf(context.Request, name);
        try
        {
            await paid.AnswerOnceAsync(
                context, upstream, identity with { Name = KeyedRequest.ScopeOf(context, upstream.Address, $"retry {key}") });
        }
        finally
        {
            if (context.RequestAborted.IsCancellationRequested && await MayBeJoinedAsync(context))
            {
                retries.Lost(name, key);
            }
        }

        return true;
    }

    // The gateway itself aborts the response of an answer that failed.
    private async ValueTask<bool> MayBeJoinedAsync(HttpContext context)
    {
        try
        {
            return context.Items[PaidOnce.RunItem] is not string id
                || await runs.FindAsync(id) is not { } run || await run.GetStatusAsync() is RunStatus.Running or RunStatus.Completed;
        }
        catch (RunStoreException)
        {
            return true;
        }
    }

    private static async ValueTask<bool> AsksForStreamAsync(Stream body, CancellationToken cancellationToken)
    {
        var block = new byte[BlockBytes];
        var kept = 0;
        for (int read; (read = await body.ReadAsync(block.AsMemory(kept), cancellationToken)) > 0;)
        {
            var length = kept + read;
            if (AsksForStream(block.AsSpan(0, length)))
            {
                return true;
            }

            kept = Math.Min(length, Overlap);
            block.AsSpan(length - kept, kept).CopyTo(block);
        }

        return false;
    }

    private static bool AsksForStream(ReadOnlySpan<byte> json)
    {
        for (int at; (at = json.IndexOf("\"stream\""u8)) >= 0;)
        {
            json = json[(at + "\"stream\"".Length)..];
            var value = json.TrimStart(" \t\r\n:"u8);
            if (value.StartsWith("true"u8))
            {
                return true;
            }
        }

        return false;
    }
}
