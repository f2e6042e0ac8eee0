using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.Auto;
using Perennial.Redis.Tests.Support;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;
using StackExchange.Redis;

namespace Perennial.Redis.Tests;

/// <summary>
/// What becomes of runs whose confirmed events Redis loses: here it comes back from a copy on disk that is older than they are.
/// </summary>
public sealed class LossTests(RedisServer installed) : IAsyncLifetime
{
    private const int Hang = 120_000;

    private readonly TemporaryServer _server = new("--appendonly", "no");
    private readonly List<RedisRunStore> _stores = [];

    private const string Space = "loss";

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    private string ConnectionString => TemporaryServer.ConnectionStringTo(_server.Port);

    public async ValueTask InitializeAsync()
    {
        installed.Require();
        await _server.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }

        await _server.DisposeAsync();
    }

    [Fact(Timeout = Hang)]
    public async Task A_producer_whose_confirmed_events_are_lost_is_fenced_and_its_run_ends_with_another_epoch()
    {
        var store = await StartAsync();
        var run = await Nodes.CreateRunAsync(store);
        await run.AppendAsync(1, 10);
        await SaveAsync();
        await run.AppendAsync(11, 20);

        await CrashAsync();

        (await run.AppendAsync(RunReading.Number(21), TestEnds)).Outcome.ShouldBe(AppendOutcome.Fenced);
        await ShouldBeLostAsync(run, store, events: 10);
    }

    [Fact(Timeout = Hang)]
    public async Task A_reader_that_has_seen_what_is_lost_is_told_though_the_producer_is_silent()
    {
        var (a, b) = (await StartAsync(new ManualTimeProvider()), await StartAsync());
        var run = await Nodes.CreateRunAsync(a);
        await run.AppendAsync(1, 10);
        await SaveAsync();
        await run.AppendAsync(11, 20);
        var elsewhere = await Nodes.FindAsync(b, run);
        var reading = elsewhere.FollowAsync();
        await elsewhere.FollowAsync(20);

        await CrashAsync();

        await Should.ThrowAsync<RunStoreException>(reading);
        await RunReading.UntilAsync(async () =>
        {
            try
            {
                await elsewhere.ReadAsync(20, int.MaxValue, TestEnds);
            }
            catch (RunStoreException e)
            {
                return e.Message.Contains("no longer kept", StringComparison.Ordinal);
            }

            return false;
        });
        await ShouldBeLostAsync(run, b, events: 10);
        (await run.AppendAsync(RunReading.Number(21), TestEnds)).Outcome.ShouldBe(AppendOutcome.Fenced);
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_whose_producer_is_gone_after_a_loss_gets_another_epoch_so_that_its_end_takes_no_lost_number()
    {
        var a = await StartAsync(new ManualTimeProvider());
        var time = new ManualTimeProvider();
        var run = await Nodes.CreateRunAsync(a);
        await run.AppendAsync(1, 10);
        await SaveAsync();
        await run.AppendAsync(11, 11);      // the end will be the eleventh record
        await a.DisposeAsync();

        await CrashAsync();
        var b = await StartAsync(time);
        await RunReading.UntilAsync(async () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return await b.FindAsync(run.Id, TestEnds) is { } found
                && (await found.GetStateAsync(TestEnds)).Status != RunStatus.Running;
        });

        var lost = await Nodes.FindAsync(b, run);
        lost.Epoch.ShouldNotBe(run.Epoch);
        (await lost.FollowAsync()).ShouldBeNumbersAnd(RunEnd.ProducerLost);
    }

    [Fact(Timeout = Hang)]
    public async Task A_restart_that_loses_nothing_changes_nothing()
    {
        var store = await StartAsync();
        var run = await Nodes.CreateRunAsync(store);
        await run.AppendAsync(1, 10);
        await SaveAsync();

        await CrashAsync();
        await run.AppendAsync(11, 20);
        await run.CloseAsync(RunEnd.Completed, TestEnds);

        var found = await Nodes.FindAsync(store, run);
        found.Epoch.ShouldBe(run.Epoch);
        (await found.FollowAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
    }

    [Fact(Timeout = Hang)]
    public async Task After_everything_is_lost_readers_and_producers_are_told_and_new_runs_may_start()
    {
        var store = await StartAsync();
        var run = await Nodes.CreateRunAsync(store);
        await run.AppendAsync(1, 10);
        var reading = run.FollowAsync();

        await CrashAsync();

        await Should.ThrowAsync<RunStoreException>(reading);
        (await run.AppendAsync(RunReading.Number(11), TestEnds)).Outcome.ShouldBe(AppendOutcome.Fenced);
        (await store.FindAsync(run.Id, TestEnds)).ShouldBeNull();
        var next = await Nodes.CreateRunAsync(store);
        await next.AppendAsync(1, 3);
        await next.CloseAsync(RunEnd.Completed, TestEnds);
        (await next.FollowAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
    }

    [Fact(Timeout = Hang)]
    public async Task A_client_is_told_of_a_gap_and_then_how_the_run_ended()
    {
        await using var app = await StartAppAsync();
        var (half, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var run = await app.Services.GetRequiredService<StreamRuns>().StartAsync(async (writer, stop) =>
        {
            await WriteAsync(writer, 1, 10, stop);
            half.SetResult();
            await goOn.Task.WaitAsync(stop);
            await WriteAsync(writer, 11, 20, stop);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        await half.Task;
        await SaveAsync();
        goOn.SetResult();
        await using var transport = ThrownReader.Create("sse", new Uri($"{app.Urls.Single()}/streams/{run.Id}"), new ProtocolMemory());
        var ids = new List<string>();

        var failure = await Should.ThrowAsync<TransportException>(async () =>
        {
            await foreach (var message in transport.ReadAllAsync(TestEnds))
            {
                ids.Add(message.Id!);
                if (ids.Count == 20)
                {
                    await CrashAsync();
                }
            }
        });

       
        failure.ServerCode.ShouldBe("events_lost");
        transport.GetMetrics().Gaps.ShouldBe(1);
        ids.Count.ShouldBe(30);
       
        ids.Distinct().Count().ShouldBe(30, "the records that are read again have other ids");

        static async Task WriteAsync(RunWriter writer, int from, int to, CancellationToken stop)
        {
            for (var n = from; n <= to; n++)
            {
                await writer.WriteAsync($"{n}", cancellationToken: stop);
            }
        }
    }

    private static async Task ShouldBeLostAsync(RunLog run, RunStore store, int events)
    {
        var lost = await Nodes.FindAsync(store, run);
        lost.Epoch.ShouldNotBe(run.Epoch);
        var records = await lost.FollowAsync();
        records.ShouldBeNumbersAnd(Scripts.EventsLost);
        records.Count.ShouldBe(events + 1);
    }

    private async Task<RedisRunStore> StartAsync(TimeProvider? time = null)
    {
        var store = Nodes.Create(ConnectionString, Space, time: time);
        _stores.Add(store);
        await store.StartingAsync(TestEnds);
        return store;
    }

    private async Task<WebApplication> StartAppAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        RedisUnderTest.Add(builder.Services.AddPerennialServer(), ConnectionString, Space);
        var app = builder.Build();
        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(TestEnds);
        return app;
    }

    private async Task SaveAsync()
    {
        await using var admin = await ConnectionMultiplexer.ConnectAsync($"{ConnectionString},allowAdmin=true");
        var server = admin.GetServers().Single();
        await server.SaveAsync(SaveType.BackgroundSave);
        await RunReading.UntilAsync(async () =>
            (await server.InfoRawAsync("persistence"))!.Contains("rdb_bgsave_in_progress:0", StringComparison.Ordinal));
    }

    private async Task CrashAsync()
    {
        await _server.StopAsync(isCrash: true);
        await _server.StartAsync();
    }
}
