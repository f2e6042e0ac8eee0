using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Perennial.Cli.Tests;

/// <summary>A Kestrel on a port of its own that accepts WebSockets and leaves each to a script.</summary>
internal sealed class WebSocketServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WebSocketServer(WebApplication app)
    {
        _app = app;
        Url = app.Urls.Single();
    }

    /// <summary>Begins with http://.</summary>
    public string Url { get; }

    /// <param name="script">Gets the request and the accepted socket; the last subprotocol offered is chosen.</param>
    public static async Task<WebSocketServer> StartAsync(Func<HttpRequest, WebSocket, Task> script)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.UseWebSockets();
        app.Run(async context =>
        {
            var chosen = context.WebSockets.WebSocketRequestedProtocols.LastOrDefault(static name => name is not "perennial.v1");
            using var socket = await context.WebSockets.AcceptWebSocketAsync(chosen);
            await script(context.Request, socket);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new WebSocketServer(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
