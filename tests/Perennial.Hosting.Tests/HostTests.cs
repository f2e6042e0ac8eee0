using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Perennial.Management;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Hosting.Tests;

/// <summary>The library in a worker and in a web application.</summary>
public class HostTests
{
    [Fact]
    public void A_named_transport_shows_no_secret()
    {
        var options = new SseTransportOptions
        {
            Endpoint = new Uri("https://user:hunter2@host/path?key=hunter2"),
            LastEventId = "hunter2",
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Authorization"] = "hunter2" },
        };

        new NamedTransport { Kind = "sse", Options = options }.ToString().ShouldBe(
            "NamedTransport { Kind = sse, Options = SseTransportOptions { Endpoint = https://host/path?… }, HttpClient =  }");
    }

    [Fact]
    public async Task A_worker_reads_by_name_and_its_transports_are_closed_when_it_stops()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAndWaitAsync(1, 3));
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Configuration.AddInMemoryCollection(Settings(("numbers", "sse", server.Address)));
        builder.Services.AddPerennial(builder.Configuration.GetSection("Perennial"));
        builder.Services.AddSingleton<Reader>().AddHostedService(static provider => provider.GetRequiredService<Reader>());
        var host = builder.Build();
        await host.StartAsync();
        await host.Services.GetRequiredService<Reader>().HasThree.Task.Soon();
        var names = host.Services.GetRequiredService<NamedTransports>();
        var transport = names.Get("numbers");
        transport.State.ShouldBe(TransportState.Connected);
        names.Names.ShouldBe(["numbers"]);
        names.NameOf(transport.Id).ShouldBe("numbers");
        Should.Throw<ArgumentException>(() => names.Get("letters")).Message.ShouldStartWith(
            "No transport is named 'letters'. The configured names are: numbers.");

        await host.StopAsync().Soon();

        (await transport.Completion.Soon()).Reason.ShouldBe(StreamEndReason.Closed);
        await Patience.Until(() => server.LiveConnections == 0, "the connection is closed");
        host.Dispose();
        Should.Throw<ObjectDisposedException>(() => names.Get("numbers"));
    }

    [Fact]
    public async Task A_container_that_is_disposed_synchronously_closes_its_transports()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAndWaitAsync(1, 1));
        var provider = new ServiceCollection().AddPerennial().BuildServiceProvider();
        var transport = provider.GetRequiredService<TransportManager>().Create(new Sse.SseTransportOptions { Endpoint = server.Address });
        await transport.ConnectAsync().Soon();

        provider.Dispose();

        (await transport.Completion.Soon()).Reason.ShouldBe(StreamEndReason.Closed);
    }

    [Fact]
    public async Task A_transport_registered_by_the_application_closes_with_a_container_that_is_disposed_synchronously()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAndWaitAsync(1, 1));
        var provider = new ServiceCollection()
            .AddSingleton(_ => new Sse.SseTransport(new Sse.SseTransportOptions { Endpoint = server.Address }))
            .BuildServiceProvider();
        var transport = provider.GetRequiredService<Sse.SseTransport>();
        await transport.ConnectAsync().Soon();

        provider.Dispose();

        (await transport.Completion.Soon()).Reason.ShouldBe(StreamEndReason.Closed);
        await Patience.Until(() => server.LiveConnections == 0, "the connection is closed");
    }

    [Fact]
    public async Task A_host_with_wrong_settings_does_not_start()
    {
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Configuration.AddInMemoryCollection(
            [new("Perennial:Manager:MaxTransports", "0"), new("Perennial:Manager:CloseTimeout", "0")]);
        builder.Services.AddPerennial(builder.Configuration.GetSection("Perennial"));
        using var host = builder.Build();

        var wrong = await host.StartAsync().Soon().ShouldThrowAsync<OptionsValidationException>();

        wrong.Failures.ShouldBe(
            ["Manager: MaxTransports must be between 1 and 1,000,000.", "Manager: CloseTimeout must be between 100 ms and 5 min."]);
    }

    [Fact]
    public async Task A_named_transport_that_was_closed_is_made_anew()
    {
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Services.AddPerennial(static options => options.Transports["a"] = new NamedTransport
        {
            Kind = "sse",
            Options = new Sse.SseTransportOptions { Endpoint = new Uri("http://127.0.0.1:9/") },
        });
        using var host = builder.Build();
        var names = host.Services.GetRequiredService<NamedTransports>();
        var first = names.Get("a");
        names.Get("a").ShouldBeSameAs(first);

        await host.Services.GetRequiredService<TransportManager>().CloseAsync(first.Id).Soon();

        names.Get("a").ShouldNotBeSameAs(first);
    }

    [Fact]
    public async Task A_web_application_tells_the_health_of_its_transports()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAndWaitAsync(1, 1));
        await using var refusing = ScriptedServer.Start(static exchange => exchange.RespondAsync(404));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(Settings(
            ("good", "sse", server.Address),
            ("better", "sse", server.Address),
            ("bad", "sse", new Uri(refusing.Address, "/?key=hunter2"))));
        builder.Services.AddSingleton<TimeProvider>(new ManualTimeProvider()).AddRouting().AddHealthChecks().AddPerennialTransports();
        builder.Services.AddPerennial(builder.Configuration.GetSection("Perennial"));
        await using var app = builder.Build();
        app.MapHealthChecks("/health", new() { ResponseWriter = static (context, report) => context.Response.WriteAsync(
            $"{report.Status}: {report.Entries["perennial_transports"].Description} {string.Join(", ", report.Entries["perennial_transports"].Data.Select(static pair => $"{pair.Key}={pair.Value}"))}") });
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        var names = app.Services.GetRequiredService<NamedTransports>();

        (await client.GetStringAsync("/health")).ShouldBe("Healthy: All 0 transports are healthy. transports=0");
        await names.Get("good").ConnectAsync().Soon();
        await names.Get("better").ConnectAsync().Soon();
        await names.Get("bad").ConnectAsync().Soon().ShouldThrowAsync<TransportException>();
        (await client.GetStringAsync("/health")).ShouldBe(
            "Degraded: Of 3 transports 1 are unhealthy and 0 degraded. transports=3, bad=sse Failed since 2000-01-01 00:00:00Z: Failed: HttpStatus.");
        await app.Services.GetRequiredService<TransportManager>().CloseAsync(names.Get("good").Id).Soon();
        var unhealthy = await client.GetAsync(new Uri("/health", UriKind.Relative));
        unhealthy.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await unhealthy.Content.ReadAsStringAsync()).ShouldStartWith("Unhealthy: Of 2 transports 1 are unhealthy");
    }

    [Fact]
    public async Task The_health_check_is_degraded_by_a_paused_transport_and_says_since_when()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAndWaitAsync(1, 1));
        var time = new ManualTimeProvider();
        var services = new ServiceCollection().AddSingleton<TimeProvider>(time).AddLogging();
        services.AddPerennial(options => options.Transports["news"] = new NamedTransport
        {
            Kind = "sse",
            Options = new Sse.SseTransportOptions { Endpoint = server.Address },
        });
        services.AddHealthChecks().AddPerennialTransports();
        await using var provider = services.BuildServiceProvider();
        var transport = provider.GetRequiredService<NamedTransports>().Get("news");
        await transport.ConnectAsync().Soon();
        time.Advance(TimeSpan.FromSeconds(5));

        transport.Pause();

        var entry = (await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["perennial_transports"];
        entry.Status.ShouldBe(HealthStatus.Degraded);
        entry.Data["news"].ShouldBe("sse Connected since 2000-01-01 00:00:05Z: Paused; no messages are delivered until Resume is called.");
    }

    private static IEnumerable<KeyValuePair<string, string?>> Settings(params (string Name, string Kind, Uri Endpoint)[] transports) =>
        transports.SelectMany(static transport => new KeyValuePair<string, string?>[]
        {
            new($"Perennial:Transports:{transport.Name}:Kind", transport.Kind),
            new($"Perennial:Transports:{transport.Name}:Endpoint", transport.Endpoint.ToString()),
        });

    private sealed class Reader(NamedTransports transports) : BackgroundService
    {
        public TaskCompletionSource HasThree { get; } = new();

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var count = 0;
            await foreach (var _ in transports.Get("numbers").ReadAllAsync(stoppingToken))
            {
                if (++count == 3)
                {
                    HasThree.SetResult();
                }
            }
        }
    }
}
