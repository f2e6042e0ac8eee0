using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.Sqlite.Tests.Support;
using Perennial.Streams;

namespace Perennial.Sqlite.Tests;

/// <summary>The store in whole applications on real Kestrels, as users set it up.</summary>
public sealed class HostTests : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly StoreFile _file = new();

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task Runs_are_read_from_the_next_application_on_the_same_file()
    {
        string finished, open;
        await using (var before = await StartAsync())
        {
            var runs = before.Services.GetRequiredService<StreamRuns>();
            var written = new TaskCompletionSource();
            var first = await runs.StartAsync((writer, stop) => writer.WriteAsync("whole", cancellationToken: stop).AsTask());
            await first.Completion;
            var second = await runs.StartAsync(async (writer, stop) =>
            {
                await writer.WriteAsync("half", cancellationToken: stop);
                written.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            });
            await written.Task;
            (finished, open) = (first.Id, second.Id);
            await before.StopAsync(TestEnds);
        }

        await using var after = await StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(after.Urls.Single()) };
        client.DefaultRequestHeaders.Add("Perennial-Protocol", "1");      // otherwise a failed run ends in an abort

        var whole = await client.GetStringAsync($"/streams/{finished}", TestEnds);
        whole.ShouldContain("data: whole\n");
        whole.ShouldEndWith("event: perennial.completed\ndata: [DONE]\n\n");
        var half = await client.GetStringAsync($"/streams/{open}", TestEnds);
        half.ShouldContain("data: half\n");
        half.ShouldContain("producer_lost");
    }

    [Fact(Timeout = Hang)]
    public async Task The_health_check_is_that_of_the_file()
    {
        await using var app = await StartAsync();
        var health = app.Services.GetRequiredService<HealthCheckService>();

        (await health.CheckHealthAsync(TestEnds)).Status.ShouldNotBe(HealthStatus.Unhealthy);
        using (var other = new Session(_file.Path))
        {
            other.Run("BEGIN EXCLUSIVE");
            (await health.CheckHealthAsync(TestEnds)).Entries["perennial_store"].Description.ShouldBe(
                "The file of runs is locked by another program.");
        }

        (await health.CheckHealthAsync(TestEnds)).Status.ShouldNotBe(HealthStatus.Unhealthy);
    }

    [Fact(Timeout = Hang)]
    public async Task A_second_application_does_not_start()
    {
        await using var first = await StartAsync();

        var refusal = await Should.ThrowAsync<RunStoreException>(() => StartAsync(options => options.OpenTimeout = TimeSpan.Zero));

        refusal.Message.ShouldContain("Another process uses the file of runs");
    }

    [Fact(Timeout = Hang)]
    public async Task A_reader_on_a_socket_file_goes_on_in_the_next_application()
    {
        const int count = 20_000;
        var socket = Path.Combine(Path.GetTempPath(), $"p{Guid.NewGuid():N}.sock");
        var app = await StartAsync(url: $"http://unix:{socket}");
        try
        {
            var run = await app.Services.GetRequiredService<StreamRuns>().StartAsync(async (writer, stop) =>
            {
                for (var n = 0; n < count; n++)
                {
                    await writer.WriteAsync($"{n}", cancellationToken: stop);
                }
            });
            await run.Completion;
            await using var transport = new ByteStreamTransport(new ByteStreamTransportOptions
            {
                Endpoint = new Uri($"unix:{socket}:/streams/{run.Id}"),
                Buffer = new() { Capacity = 10 },
                Reconnect = new() { InitialDelay = TimeSpan.FromMilliseconds(1), MaxAttempts = 100_000, Multiplier = 1 },
            });
            List<string> texts = [];
            await foreach (var message in transport.ReadAllAsync(TestEnds))
            {
                texts.Add(message.Text);
                if (texts.Count % (count / 4) == 100)
                {
                    await app.DisposeAsync();
                    app = await StartAsync(url: $"http://unix:{socket}");
                }
            }

            texts.ShouldBe(Enumerable.Range(0, count).Select(static n => $"{n}"));
            transport.GetMetrics().ReconnectAttempts.ShouldBeGreaterThan(1);
        }
        finally
        {
            await app.DisposeAsync();
        }
    }

    private async Task<WebApplication> StartAsync(Action<SqliteStoreOptions>? configure = null, string url = "http://127.0.0.1:0")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(url);
        builder.Logging.ClearProviders();
        builder.Services.AddPerennialServer().AddSqliteStore(_file.Path, configure);
        builder.Services.AddHealthChecks().AddPerennialStore();
        var app = builder.Build();
        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(TestEnds);
        return app;
    }
}
