using Perennial.Testing;

namespace Perennial.AspNetCore.Tests;

/// <summary>What holds for one run alone.</summary>
public class RunPolicyTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(7);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_that_nobody_comes_to_read_is_stopped()
    {
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(time: clock);
        var run = await server.Runs.StartAsync(WaitAsync, new RunOptions { StopWhenUnread = Limit });

        clock.Advance(Limit);

        (await run.Completion).ShouldBe(RunStatus.Stopped);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_is_stopped_so_long_after_its_last_reader_left()
    {
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(time: clock);
        var run = await server.Runs.StartAsync(WaitAsync, new RunOptions { StopWhenUnread = Limit });
        using (await server.OpenAsync(run))
        {
            using (await server.OpenAsync(run))
            {
                clock.Advance(2 * Limit);
            }

            clock.Advance(2 * Limit);
            (await run.GetStatusAsync(TestEnds)).ShouldBe(RunStatus.Running);
        }

        await clock.WaitForTimerAsync(Limit, TestEnds);
        clock.Advance(Limit / 2);
        using (await server.OpenAsync(run))
        {
            clock.Advance(Limit);
        }

        (await run.GetStatusAsync(TestEnds)).ShouldBe(RunStatus.Running);
        await clock.WaitForTimerAsync(Limit, TestEnds);
        clock.Advance(Limit);

        (await run.Completion).ShouldBe(RunStatus.Stopped);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_may_be_held_to_fewer_bytes_than_others()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync(
            async (writer, stop) =>
            {
                await writer.WriteAsync("fits", cancellationToken: stop);
                await writer.WriteAsync(new string('x', 100), cancellationToken: stop);
            },
            new RunOptions { MaxBytes = 200 });

        (await run.Completion).ShouldBe(RunStatus.Failed);

        (await server.ReadAsync(run)).ShouldStartWith($"id: {run.Epoch}-1\ndata: fits\n\nid: {run.Epoch}-2\nevent: perennial.failed\n");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Bad_options_are_refused_and_start_nothing()
    {
        await using var server = await RunServer.StartAsync(options => options.MaxRuns = 1);

        Should.Throw<ArgumentOutOfRangeException>(() => server.Runs.Start(WaitAsync, new RunOptions { StopWhenUnread = TimeSpan.Zero }))
            .Message.ShouldContain("StopWhenUnread must be from");
        Should.Throw<ArgumentOutOfRangeException>(() => server.Runs.Start(WaitAsync, new RunOptions { MaxBytes = 0 }))
            .Message.ShouldContain("MaxBytes must be from");

        await server.FinishedRunAsync("one");
    }

    private static Task WaitAsync(RunWriter writer, CancellationToken stop) =>
        Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
}
