using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore;
using Perennial.Gateway.Diagnostics;
using Perennial.Gateway.Upstream;
using Perennial.Wire;

namespace Perennial.Gateway.Exchanges;

/// <summary>The AI SDK's and MCP's own ways to resume, for the answers that this process recorded.</summary>
internal sealed class NativeStreams(StreamRuns runs, RunNames names, RunReading reading)
{
    /// <summary>Answers a request for a recorded stream. Returns false if it is another request.</summary>
    public async ValueTask<bool> TryAnswerAsync(HttpContext context, GatewayUpstream upstream)
    {
        if (!HttpMethods.IsGet(context.Request.Method) || ForwardedRequest.IsUpgrade(context))
        {
            return false;
        }

        if (context.Request.Path.Value!.EndsWith("/stream", StringComparison.Ordinal)
            && names.Find(context, NativeNames.OfChat(context)) is { } chat)
        {
            await AnswerChatAsync(context, upstream, chat);
            return true;
        }

        var after = context.Request.Headers[WireHeaders.LastEventId].ToString();
        return RunEventId.TryParse(after, out var id) && names.Find(context, NativeNames.OfMcp(context, id.Epoch)) is { } answer
            && await TryContinueAsync(context, upstream, answer, after);
    }

    /// <summary>Answers <c>GET {api}/{chatId}/stream</c>: the chat's running stream from its first event, or 204 if none runs.</summary>
    private async ValueTask AnswerChatAsync(HttpContext context, GatewayUpstream upstream, string runId)
    {
        if (await runs.FindAsync(runId, context.RequestAborted) is { } run
            && await run.GetStatusAsync(context.RequestAborted) == RunStatus.Running)
        {
            GatewayTelemetry.CountResumed(upstream.Address.Name, Dialects.AISdk.Name);
            await reading.ReadAsync(context, run.Events, after: "", isFirst: false);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        context.Response.Headers.CacheControl = "no-store";
    }

    /// <summary>Answers a GET of an MCP endpoint with what follows its <c>Last-Event-ID</c>.</summary>
    private async ValueTask<bool> TryContinueAsync(HttpContext context, GatewayUpstream upstream, string runId, string after)
    {
        if (await runs.FindAsync(runId, context.RequestAborted) is not { } run)
        {
            return false;
        }

        GatewayTelemetry.CountResumed(upstream.Address.Name, Dialects.Mcp.Name);
        await reading.ReadAsync(context, run.Events, after, isFirst: false);
        return true;
    }
}
