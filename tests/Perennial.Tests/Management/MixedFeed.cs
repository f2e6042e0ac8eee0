using System.Collections.Concurrent;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Perennial.Tests.Management;

/// <summary>
/// Endless numbered streams in every form: <c>/sse/7</c> says "7:1", "7:2" and so on. They go on after any id, but for those of a
/// WebSocket, which has none: there the numbers go on over all connections.
/// </summary>
internal sealed class MixedFeed(int seed)
{
    private readonly ConcurrentDictionary<string, int> _said = new(StringComparer.Ordinal);

    public async Task ServeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.Split('/');
        var (kind, stream) = (path[1], path[2]);
        var next = 1 + int.Parse(context.Request.Headers["Last-Event-ID"].FirstOrDefault() ?? "0", CultureInfo.InvariantCulture);
        var random = new Random(seed + next + int.Parse(stream, CultureInfo.InvariantCulture));
        context.Response.Headers["Perennial-Protocol"] = "1";
        try
        {
            await (kind switch
            {
                "sse" => StreamAsync(context, random, "text/event-stream", () => $"id: {next}\ndata: {stream}:{next++}\n\n"),
                "http-stream" => StreamAsync(context, random, "application/x-ndjson", () => $$"""{"id":"{{next}}","data":"{{stream}}:{{next++}}"}""" + "\n"),
                "long-poll" => PollAsync(context, random, () => $$"""{"id":"{{next}}","data":"{{stream}}:{{next++}}"}""" + "\n"),
                _ => SocketAsync(context, random, stream),
            });
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or WebSocketException)
        {
            // The line was cut.
        }
    }

    private static async Task StreamAsync(HttpContext context, Random random, string contentType, Func<string> next)
    {
        context.Response.ContentType = contentType;
        while (!context.RequestAborted.IsCancellationRequested)
        {
            await context.Response.WriteAsync(next(), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await PauseAsync(random, context.RequestAborted);
        }
    }

    private static async Task PollAsync(HttpContext context, Random random, Func<string> next)
    {
        await PauseAsync(random, context.RequestAborted);
        context.Response.ContentType = "application/x-ndjson";
        for (var count = random.Next(1, 5); count > 0; count--)
        {
            await context.Response.WriteAsync(next(), context.RequestAborted);
        }
    }

    private async Task SocketAsync(HttpContext context, Random random, string stream)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        while (!context.RequestAborted.IsCancellationRequested && socket.State == WebSocketState.Open)
        {
            var number = _said.AddOrUpdate(stream, 1, static (_, said) => said + 1);
            await socket.SendAsync(
                Encoding.UTF8.GetBytes($"{stream}:{number}"), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
            await PauseAsync(random, context.RequestAborted);
        }
    }

    private static Task PauseAsync(Random random, CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromMilliseconds(random.Next(20, 1000)), TimeProvider.System, cancellationToken);
}
