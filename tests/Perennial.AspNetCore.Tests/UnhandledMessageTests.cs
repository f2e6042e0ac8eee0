using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Tests.Stores;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests;

/// <summary>A message that was acknowledged and cannot be handled fails the run, also while the store cannot record that.</summary>
public class UnhandledMessageTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(0)]
    [InlineData(3)]
    public async Task A_message_that_cannot_be_handled_fails_the_run_when_the_store_is_back(int failures)
    {
        await ShouldFailAsync(failures, new RunFailedException("No.", "refused"), "refused");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_handler_that_cannot_use_the_store_fails_the_run()
    {
        await ShouldFailAsync(failures: 0, new RunStoreException("The store is away."), RunFailedException.DefaultCode);
    }

    private static async Task ShouldFailAsync(int failures, Exception thrown, string code)
    {
        var time = new ManualTimeProvider();
        using var memory = new MemoryRunStore(Options.Create(new PerennialServerOptions()), time);
        await using var server = await RunServer.StartAsync(store: new FailingEndsStore(memory, failures), time: time);
        // The producer ends well when it is cancelled, as one that knows nothing of the failure does.
        var run = await server.Runs.StartAsync(
            (_, stop) =>
                Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop).ContinueWith(static _ => { }, TaskScheduler.Default),
            new RunOptions { OnMessage = (_, _) => throw thrown });

        using var response = await server.Client.PostAsync(RunServer.PathOf(run), new StringContent("message"), TestEnds);
        while (!run.Completion.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        ((int)response.StatusCode).ShouldBe(202);
        (await run.Completion).ShouldBe(RunStatus.Failed);
        var records = (await run.Events.ReadAsync(0, int.MaxValue, TestEnds)).Records;
        System.Text.Encoding.UTF8.GetString(records.Span[^1].Content.Data.Span).ShouldContain($"\"code\":\"{code}\"");
    }
}
