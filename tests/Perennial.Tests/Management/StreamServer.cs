using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Perennial.Tests.Management;

/// <summary>Kestrel that counts its TCP connections, and what each carried.</summary>
internal sealed class StreamServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, int> _requests = new(StringComparer.Ordinal);
    private int _opened;

    private StreamServer(HttpProtocols protocol, RequestDelegate serve)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = protocol;
            listen.Use(next => connection =>
            {
                Interlocked.Increment(ref _opened);
                return next(connection);
            });
        }));
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Run(context =>
        {
            _requests.AddOrUpdate(context.Connection.Id, 1, static (_, count) => count + 1);
            return serve(context);
        });
    }

    public Uri Address => new(_app.Urls.Single());

    /// <summary>TCP connections ever accepted.</summary>
    public int Opened => Volatile.Read(ref _opened);

    /// <summary>Requests by connection.</summary>
    public IReadOnlyDictionary<string, int> Requests => _requests;

    public static async Task<StreamServer> StartAsync(HttpProtocols protocol, RequestDelegate serve)
    {
        var server = new StreamServer(protocol, serve);
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    /// <summary>One event, and then silence until the client leaves.</summary>
    public static async Task OneEventAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync("id: 1\ndata: hello\n\n");
        await context.Response.Body.FlushAsync();
        await Task.Delay(
            Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
