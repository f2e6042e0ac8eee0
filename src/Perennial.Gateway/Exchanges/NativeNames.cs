using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore.Stores;
using Perennial.Gateway.Answers;

namespace Perennial.Gateway.Exchanges;

/// <summary>The names by which providers' own clients find an answer again.</summary>
internal static class NativeNames
{
    /// <summary>The names of the answer to a request.</summary>
    public static IEnumerable<string> Of(HttpContext context, RunLog log, RecordedHead head)
    {
        if (head.ResponseId is { } response)
        {
            yield return response;
        }

        if (head.ChatId is { } chat && HttpMethods.IsPost(context.Request.Method))
        {
            yield return $"{PathOf(context).TrimEnd('/')}/{chat}/stream";
        }

        if (head.Dialect is { } dialect && UpstreamStream.IsMcp(dialect))
        {
            yield return OfMcp(context, log.Epoch);
        }
    }

    /// <summary>The name that a GET for the stream of an AI SDK's chat has.</summary>
    public static string OfChat(HttpContext context) => PathOf(context);

    /// <summary>The name of an MCP answer, whose event ids begin with the epoch.</summary>
    public static string OfMcp(HttpContext context, string epoch) => $"{PathOf(context)} mcp {epoch}";

    private static string PathOf(HttpContext context) => context.Request.PathBase.Value + context.Request.Path.Value;
}
