using Perennial.Testing;

namespace Perennial.Tests.Auto;

/// <summary>A scripted server that tells by the request which form of the stream is asked for. What has no script is not found.</summary>
internal sealed record FormServer
{
    public Func<ScriptedExchange, Task>? WebSocket { get; init; }

    /// <summary>SSE, alone or beside JSON lines.</summary>
    public Func<ScriptedExchange, Task>? Stream { get; init; }

    /// <summary>JSON lines alone.</summary>
    public Func<ScriptedExchange, Task>? Lines { get; init; }

    public Func<ScriptedExchange, Task>? Poll { get; init; }

    public static string FormOf(RecordedRequest request) =>
        request.Headers.Contains("Upgrade") ? "websocket"
        : request.Header("Accept") is not { } accept ? "other"
        : accept.Contains("text/event-stream", StringComparison.Ordinal) ? "stream"
        : accept.Contains("application/json", StringComparison.Ordinal) ? "poll"
        : "lines";

    public ScriptedServer Start() => ScriptedServer.Start(exchange =>
    {
        var script = FormOf(exchange.Request) switch
        {
            "websocket" => WebSocket,
            "stream" => Stream,
            "lines" => Lines,
            "poll" => Poll,
            _ => null,
        };
        return script is null ? exchange.RespondAsync(404) : script(exchange);
    });
}

/// <summary>The forms that were asked for, in order.</summary>
internal static class FormRequests
{
    public static IEnumerable<string> Forms(this ScriptedServer server) => server.Requests.Select(FormServer.FormOf);
}
