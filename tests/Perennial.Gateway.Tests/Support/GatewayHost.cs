using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Perennial.Testing;

namespace Perennial.Gateway.Tests;

/// <summary>A gateway on a real Kestrel, and a plain HttpClient.</summary>
internal sealed class GatewayHost : IAsyncDisposable
{
    /// <summary>Milliseconds after which a test counts as hanging.</summary>
    public const int Hang = 120_000;

    public const string Prompt = """{"model":"m","stream":true}""";

    private readonly WebApplication _app;

    private GatewayHost(WebApplication app)
    {
        _app = app;
        Client = new HttpClient(new SocketsHttpHandler { MaxResponseDrainSize = 0, AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new Uri(app.Urls.Single()),
        };
    }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public static Task<GatewayHost> StartAsync(
        ScriptedServer upstream, Action<GatewayOptions>? configure = null, string path = "", Action<WebApplicationBuilder>? build = null) =>
        StartAsync(upstream.Address.GetLeftPart(UriPartial.Authority) + path, configure, build);

    public static async Task<GatewayHost> StartAsync(
        string upstream, Action<GatewayOptions>? configure = null, Action<WebApplicationBuilder>? build = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(2 * Hang));
        builder.Services.AddPerennialGateway();
        build?.Invoke(builder);
        var app = builder.Build();
        app.MapPerennialGateway("/ai", upstream, configure);
        await app.StartAsync(TestEnds);
        return new GatewayHost(app);
    }

    /// <summary>Sends a POST of a client that does not know Perennial, and returns when the head is here.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, Prompt, headers);

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(
            method,
            new Uri(
                (path.StartsWith('/') ? Client.BaseAddress!.GetLeftPart(UriPartial.Authority) : "") + path,
                new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);
    }

    public Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Get, path, null, headers);

    /// <summary>Waits until the gateway serves no request, so that it has noticed the clients that left.</summary>
    public async Task WaitUntilIdleAsync()
    {
        while (Services.GetRequiredService<Upstream.UpstreamSet>().All.Sum(upstream => upstream.Active) > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestEnds);
        }
    }

    public Task StopAsync() => _app.StopAsync(TestEnds);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
