using System.Diagnostics;
using System.Globalization;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.Redis.Tests.Support;
using Perennial.SeveralNodes.Tests.Support;

namespace Perennial.Redis.Tests;

/// <summary>
/// Processes that are killed or stopped in the middle of their appends, and a Redis that is killed meanwhile, which writes a file.
/// PERENNIAL_LONG=1 makes it twenty rounds.
/// </summary>
public sealed class CrashTests(RedisServer server) : IAsyncDisposable
{
    private const int Hang = 600_000;
    private const int Events = 1000;

    private static readonly int Rounds = Environment.GetEnvironmentVariable("PERENNIAL_LONG") is "1" ? 20 : 4;

    private readonly Nodes _nodes = new(server);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task Every_confirmed_event_of_a_killed_process_is_read_once_and_its_run_ends()
    {
        var store = await _nodes.StartAsync(configure: options => options.LeaseDuration = LoneProducer.Lease);
        var runs = new List<(RunLog Run, int Confirmed)>();
        for (var round = 1; round <= Rounds; round++)
        {
            using var producer = Start(out var id);
            var before = Events * round / Rounds;
            await UntilAsync(producer, before);
            var run = (await store.FindAsync(id, TestEnds)).ShouldNotBeNull();
            producer.Kill();
            runs.Add((run, before + (await producer.StandardOutput.ReadToEndAsync(TestEnds)).Count(letter => letter == '\n')));
        }

        foreach (var (run, confirmed) in runs)
        {
            var records = await run.FollowAsync();
            records.ShouldBeNumbersAnd(RunEnd.ProducerLost);
            records.Count.ShouldBeGreaterThan(confirmed);
        }
    }

    [Fact(Timeout = Hang)]
    public async Task A_process_that_stands_still_for_longer_than_its_lease_is_fenced()
    {
        var store = await _nodes.StartAsync(configure: options => options.LeaseDuration = LoneProducer.Lease);
        using var producer = Start(out var id);
        await UntilAsync(producer, 100);
        var run = (await store.FindAsync(id, TestEnds)).ShouldNotBeNull();

        await SignalAsync("STOP", producer);
        var records = await run.FollowAsync();
        await SignalAsync("CONT", producer);

        records.ShouldBeNumbersAnd(RunEnd.ProducerLost);
        var confirmed = 100 + (await producer.StandardOutput.ReadToEndAsync(TestEnds)).Count(letter => letter == '\n');
        await producer.WaitForExitAsync(TestEnds);
        producer.ExitCode.ShouldBe(1, "its append was refused");
        records.Count.ShouldBeGreaterThan(confirmed);
        (await run.FollowAsync()).Count.ShouldBe(records.Count);
    }

    [Fact(Timeout = Hang)]
    public async Task A_killed_Redis_that_writes_a_file_loses_nothing_that_was_confirmed()
    {
        var (a, b) = (await _nodes.StartAsync(), await _nodes.StartAsync());
        var run = await Nodes.CreateRunAsync(a);
        var elsewhere = await Nodes.FindAsync(b, run);
        var producing = run.AppendAsync(1, Events);
        for (var round = 1; round <= Rounds; round++)
        {
            await elsewhere.FollowPatientlyAsync(Events * round / (Rounds + 1));
            await server.StopAsync(isCrash: true);
            await server.StartAsync();
        }

        await producing;
        await run.CloseAsync(RunEnd.Completed, TestEnds);
        (await elsewhere.FollowPatientlyAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
        (await Nodes.FindAsync(b, run)).Epoch.ShouldBe(run.Epoch);
    }

    private static async Task UntilAsync(Process producer, int confirmed)
    {
        for (var n = 1; n <= confirmed; n++)
        {
            (await producer.StandardOutput.ReadLineAsync(TestEnds)).ShouldBe(n.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static async Task SignalAsync(string signal, Process process)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestEnds);
    }

    private Process Start(out string id)
    {
        id = Guid.NewGuid().ToString("N");
        return Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["produce", server.ConnectionString, _nodes.Space, id])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
    }
}
