using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;

namespace Perennial.Chats.Tests.Support;

/// <summary>The application under test: a real Kestrel that answers POST /chat with a run of a model.</summary>
internal sealed class ChatServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ChatServer(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.Single());
    }

    public Uri Address { get; }

    public Uri Chat => new(Address, "/chat");

    public StreamRuns Runs => _app.Services.GetRequiredService<StreamRuns>();

    public static Task<ChatServer> StartAsync(IChatClient model, ChatRunOptions? options = null) => StartAsync(app =>
        app.MapPost(
            "/chat",
            (ChatRequest r, StreamRuns runs) =>
                runs.Start(model, r.Messages, (options ?? new ChatRunOptions()) with { Chat = r.Options })));

    public static async Task<ChatServer> StartAsync(
        Action<WebApplication> map, TimeProvider? time = null, Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        if (time is not null)
        {
            builder.Services.AddSingleton(time);
        }

        builder.Services.AddPerennialServer();
        services?.Invoke(builder.Services);
        var app = builder.Build();
        map(app);
        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new ChatServer(app);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
