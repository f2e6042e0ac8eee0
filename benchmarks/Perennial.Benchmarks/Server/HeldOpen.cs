using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Perennial.Benchmarks.Server;

/// <summary>
/// What a reader costs at all: a request that Kestrel has answered with one event and holds open, or a WebSocket that waits for its peer.
/// </summary>
internal sealed class HeldOpen(WebApplication application) : IBroadcast
{
    private static readonly TaskCompletionSource Never = new();

    public string Origin => application.Urls.First();

    public string BusyPath => "/idle";

    public string IdlePath => "/idle";

    public static async Task<HeldOpen> StartAsync() => new(await KestrelServer.StartAsync(static _ => { }, static application =>
    {
        application.UseWebSockets();
        application.MapGet("/idle", HoldAsync);
    }));

    public Task SendAsync(int events) => throw new NotSupportedException("Nothing is sent here.");

    public ValueTask DisposeAsync() => application.DisposeAsync();

    private static async Task HoldAsync(HttpContext context)
    {
        if (context.WebSockets.IsWebSocketRequest)
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
            await socket.ReceiveAsync(Memory<byte>.Empty, context.RequestAborted);
            return;
        }

        context.Response.ContentType = "text/event-stream";
        await context.Response.Body.WriteAsync("data: hello\n\n"u8.ToArray(), context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await Never.Task;
    }
}
