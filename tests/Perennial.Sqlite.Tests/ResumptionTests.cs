using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Sqlite.Tests.Support;

namespace Perennial.Sqlite.Tests;

/// <summary>Runs that name a resumption go on in the next process on the same file.</summary>
public sealed class ResumptionTests : IAsyncDisposable
{
    private const int Hang = 120_000;
    private const string Numbers = LoneProducer.Resumption;

    private readonly StoreFile _file = new();

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task A_run_of_a_killed_process_goes_on_and_its_readers_see_one_stream()
    {
        const int rounds = 5, more = 50;
        for (var round = 1; round <= rounds; round++)
        {
            await using var producer = await ProducerProcess.StartAsync(_file.Path, isResumable: true);
            await producer.UntilAsync(40 * round);
            var confirmed = Math.Max(40 * round, await producer.KillAsync());
            var last = $"lonelone-{confirmed}";

            await using var app = await StartAsync((run, stop) => CountOnAsync(run, more, stop));
            using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/streams/{producer.Run}");
            request.Headers.Add("Last-Event-ID", last);
            request.Headers.Add("Perennial-Protocol", "1");
            using var answer = await client.SendAsync(request, TestEnds);
            var rest = await answer.Content.ReadAsStringAsync(TestEnds);

            rest[rest.IndexOf("id: ", StringComparison.Ordinal)..].ShouldStartWith(
                $"id: lonelone-{confirmed + 1}\ndata: {confirmed + 1}\n");
            rest.ShouldEndWith("event: perennial.completed\ndata: [DONE]\n\n");
            await app.StopAsync(TestEnds);
            var records = await FollowAsync(producer.Run);
            records.ShouldBeNumbersAnd(RunEnd.Completed);
            records.Count.ShouldBeGreaterThan(confirmed + more - 1);
        }
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_of_a_process_that_stops_goes_on_in_the_next_with_its_owner_and_the_messages_that_wait()
    {
        string id;
        await using (var before = await StartAsync(static (_, _) => Task.CompletedTask))
        {
            var written = new TaskCompletionSource();
            var run = await before.Services.GetRequiredService<StreamRuns>().StartAsync(
                async (writer, stop) =>
                {
                    await writer.WriteAsync("1", stop);
                    written.SetResult();
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
                },
                new RunOptions
                {
                    Owner = "ann",
                    Key = "chat",
                    ResumeWith = Numbers,
                    OnMessage = static (_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop),
                });
            await written.Task;
            using var client = new HttpClient { BaseAddress = new Uri(before.Urls.Single()) };
            (await client.PostAsync($"/streams/{run.Id}", new StringContent("2"), TestEnds)).IsSuccessStatusCode.ShouldBeTrue();
            id = run.Id;
            await before.StopAsync(TestEnds);
            (await run.Completion).ShouldBe(RunStatus.Running);
        }

        string? owner = null;
        await using var after = await StartAsync(async (run, stop) =>
        {
            owner = run.Run.Owner;
            run.Services.GetService<StreamRuns>().ShouldNotBeNull();
            await foreach (var message in run.ReadMessagesAsync(stop))
            {
                await run.Writer.WriteAsync(message.Text, stop);
                break;
            }
        });
        var resumed = (await after.Services.GetRequiredService<StreamRuns>().FindAsync(id, TestEnds)).ShouldNotBeNull();
        var texts = new List<string>();
        await foreach (var record in resumed.ReadAsync(cancellationToken: TestEnds))
        {
            texts.Add(RunReading.TextOf(record));
        }

        texts.ShouldBe(["1", "2"]);
        (owner, await resumed.GetStatusAsync(TestEnds)).ShouldBe(("ann", RunStatus.Completed));
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_that_the_next_process_cannot_resume_ends_as_lost()
    {
        var before = await _file.StartAsync();
        var run = await CreateRunAsync(before);
        await run.AppendAsync(1, 3);
        await before.DisposeAsync();

        await using var after = await StartAsync(resume: null);

        var found = (await after.Services.GetRequiredService<RunStore>().FindAsync(run.Id, TestEnds)).ShouldNotBeNull();
        (await found.FollowAsync()).ShouldBeNumbersAnd(RunEnd.ProducerLost);
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_that_waits_is_read_and_stopped_like_any_other_and_given_out_once()
    {
        var before = await _file.StartAsync();
        var (run, stopped) = (await CreateRunAsync(before), await CreateRunAsync(before));
        await run.AppendAsync(1, 3);
        await before.DisposeAsync();
        var after = await _file.StartAsync();
        var found = await StoreFile.FindAsync(after, run.Id);
        (await found.GetStateAsync(TestEnds)).ShouldBe(new RunState { Status = RunStatus.Running, Tail = 3, Oldest = 1 });
        (await (await StoreFile.FindAsync(after, stopped.Id)).CloseAsync(RunEnd.Stopped, TestEnds)).ShouldBe(RunStatus.Stopped);

        (await after.TakeOverAsync([Numbers], 0, TestEnds)).ShouldBeEmpty();
        var taken = (await after.TakeOverAsync([Numbers], 10, TestEnds)).ShouldHaveSingleItem();
        (await after.TakeOverAsync([Numbers], 10, TestEnds)).ShouldBeEmpty();

        taken.Epoch.ShouldBe(run.Epoch);
        await taken.AppendAsync(4, 5);
        await taken.CloseAsync(RunEnd.Completed, TestEnds);
        (await found.FollowAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
    }

    [Fact(Timeout = Hang)]
    public async Task The_bytes_of_the_process_before_count()
    {
        var limits = new PerennialServerOptions { MaxBytesPerRun = 1024 };
        var before = await _file.StartAsync(limits);
        var run = await CreateRunAsync(before);
        await run.AppendAsync(RunReading.Text(new string('x', 800)), TestEnds);
        await before.DisposeAsync();

        var taken = (await (await _file.StartAsync(limits)).TakeOverAsync([Numbers], 10, TestEnds)).ShouldHaveSingleItem();

        (await taken.AppendAsync(RunReading.Text(new string('x', 97)), TestEnds)).Outcome.ShouldBe(AppendOutcome.TooLarge);
        (await taken.AppendAsync(RunReading.Text(new string('x', 96)), TestEnds)).Outcome.ShouldBe(AppendOutcome.Appended);
    }

    private static async Task CountOnAsync(ResumedRun run, int more, CancellationToken stop)
    {
        var last = 0;
        await foreach (var record in run.ReadRecordedAsync(stop))
        {
            RunReading.TextOf(record).ShouldBe((++last).ToString(CultureInfo.InvariantCulture));
        }

        for (var n = last + 1; n <= last + more; n++)
        {
            await run.Writer.WriteAsync(n.ToString(CultureInfo.InvariantCulture), stop);
        }
    }

    private static async Task<RunLog> CreateRunAsync(RunStore store) => await store.CreateAsync(
        new NewRun
        {
            Id = Guid.NewGuid().ToString("N"),
            Epoch = Guid.NewGuid().ToString("N")[..8],
            Description = new RunDescription { ResumeWith = Numbers },
        },
        TestEnds);

    private async Task<List<RunRecord>> FollowAsync(string id)
    {
        var store = await _file.StartAsync();
        var records = await (await StoreFile.FindAsync(store, id)).FollowAsync();
        await store.DisposeAsync();
        return records;
    }

    private async Task<WebApplication> StartAsync(Func<ResumedRun, CancellationToken, Task>? resume)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var server = builder.Services.AddPerennialServer().AddSqliteStore(_file.Path);
        if (resume is not null)
        {
            server.AddResumption(Numbers, resume);
        }

        var app = builder.Build();
        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(TestEnds);
        return app;
    }
}
