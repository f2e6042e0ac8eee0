using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Hosting.Tests;

/// <summary>Transports over the application's own named HTTP clients.</summary>
public class HttpClientTests
{
    [Fact]
    public async Task Handlers_of_a_named_client_see_the_opening_request_and_its_timeout_does_not_cut_the_stream()
    {
        var mayGoOn = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync("id: 1\ndata: 1\n\n");
            await mayGoOn.Task;
            await exchange.WriteChunkAsync("id: 2\ndata: 2\n\n");
            await exchange.WaitForClientCloseAsync(exchange.Stopping);
        });
        var log = new RequestLog();
        var services = new ServiceCollection();
        services.AddHttpClient("mine", static http => http.Timeout = TimeSpan.FromMilliseconds(1))
            .ConfigurePrimaryHttpMessageHandler(static () => new SocketsHttpHandler { AllowAutoRedirect = false })
            .AddHttpMessageHandler(() => new LoggingHandler(log));
        services.AddPerennial(options => options.Transports["news"] = new NamedTransport
        {
            Kind = "sse",
            Options = new SseTransportOptions { Endpoint = server.Address },
            HttpClient = "mine",
        });
        await using var provider = services.BuildServiceProvider();

        await using var reader = provider.GetRequiredService<NamedTransports>().Get("news").ReadAllAsync().GetAsyncEnumerator();
        (await reader.MoveNextAsync().AsTask().Soon()).ShouldBeTrue();
        mayGoOn.SetResult();
        (await reader.MoveNextAsync().AsTask().Soon()).ShouldBeTrue();

        reader.Current.Text.ShouldBe("2");
        log.Requests.ShouldBe([$"GET {server.Address}"]);
    }

    [Fact]
    public void A_client_that_is_not_configured_is_named()
    {
        Refused("prices", static services => services.AddHttpClient("price").ConfigurePrimaryHttpMessageHandler(Handler))
            .ShouldBe(
                ["Transports:news: HttpClient must name a client that AddHttpClient has registered and configured; 'prices' is not registered."]);
        Refused("prices", static _ => { })
            .ShouldBe(
                ["Transports:news: HttpClient must name a client that AddHttpClient has registered and configured; 'prices' is not registered."]);
    }

    [Fact]
    public void A_client_that_follows_redirects_by_itself_is_refused() =>
        Refused(
            "prices",
            static services => services.AddHttpClient("prices").ConfigurePrimaryHttpMessageHandler(static () => new HttpClientHandler()))
            .ShouldBe(
                [
                    "Transports:news: The HTTP handler must not follow redirects: set AllowAutoRedirect to false on its primary handler. "
                        + "The transport follows redirects itself and keeps credentials at their origin.",
                ]);

    [Fact]
    public void Settings_that_would_have_no_effect_are_refused()
    {
        Refused(
            "prices",
            static services => services.AddHttpClient("prices").ConfigurePrimaryHttpMessageHandler(Handler),
            new HttpConnectionOptions { PingInterval = TimeSpan.FromSeconds(20) })
            .ShouldBe(
                ["Transports:news: Http must keep its defaults if an HTTP handler is set, because the handler makes the connections."]);
        Refused(
            "prices",
            static services =>
                services.AddHttpClient(
                    "prices",
                    static http => http.DefaultRequestHeaders.Add("X-Key", "hunter2")).ConfigurePrimaryHttpMessageHandler(Handler))
            .ShouldBe(
                ["Transports:news: HttpClient 'prices' has DefaultRequestHeaders, which a transport does not send; set Headers of the transport instead."]);
        Refused(
            "prices",
            static services =>
                services.AddHttpClient("prices").ConfigurePrimaryHttpMessageHandler(static () => throw new FormatException("hunter2")))
            .ShouldBe(["Transports:news: the handlers of HttpClient 'prices' could not be created (FormatException)."]);
    }

    private static SocketsHttpHandler Handler() => new() { AllowAutoRedirect = false };

    private static IEnumerable<string> Refused(string client, Action<IServiceCollection> register, HttpConnectionOptions? http = null)
    {
        var services = new ServiceCollection().AddPerennial(options => options.Transports["news"] = new NamedTransport
        {
            Kind = "sse",
            Options = new SseTransportOptions { Endpoint = new Uri("https://example.com/"), Http = http ?? new HttpConnectionOptions() },
            HttpClient = client,
        });
        register(services);
        using var provider = services.BuildServiceProvider();
        return Should.Throw<OptionsValidationException>(() => provider.GetRequiredService<IOptions<PerennialOptions>>().Value).Failures;
    }

    private sealed class RequestLog
    {
        public ConcurrentQueue<string> Requests { get; } = new();
    }

    private sealed class LoggingHandler(RequestLog log) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            log.Requests.Enqueue($"{request.Method} {request.RequestUri}");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
