using System.Collections.Concurrent;
using System.Globalization;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.SeveralNodes.Tests;

/// <summary>
/// Many streams on three nodes, whose readers are thrown from node to node while lines are cut, listeners killed and a node crashes.
/// </summary>
public sealed class ThrownAboutTests(DatabaseServer cluster, ITestOutputHelper output) : IAsyncDisposable
{
    private const int Hang = 600_000;
    private const int NodeCount = 3;

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("PERENNIAL_LONG") is "1";
    private static readonly int Streams = IsLong ? 200 : 30;
    private static readonly int Events = IsLong ? 500 : 80;

    private readonly Nodes _nodes = new(cluster);
    private readonly int _seed = Random.Shared.Next();
    private readonly NodeStore?[] _alive = new NodeStore?[NodeCount];
    private readonly ConcurrentDictionary<string, int> _ends = new();
    private int _throws;
    private int _failures;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task Every_reader_gets_everything_once_and_an_honest_end()
    {
        await using var proxy = FaultProxy.Start(cluster.Address);
        for (var n = 0; n < NodeCount; n++)
        {
            _alive[n] = await StartNodeAsync(proxy);
        }

        var doomed = _alive[0]!;
        var work = Enumerable.Range(0, Streams).Select(stream => Task.Run(() => FollowAsync(stream))).ToArray();
        var all = Task.WhenAll(work);

        var faults = await FaultsAsync(proxy, doomed, all);

        var counts = await all;
        output.WriteLine(FormattableString.Invariant(
            $"seed {_seed}: {Streams} streams, {counts.Sum()} records read, {_throws} throws, {_failures} failed calls, {faults}"));
        output.WriteLine(string.Join(", ", _ends.Select(end => $"{end.Value} {end.Key}")) + "; 0 lost, 0 repeated");
        _ends.Values.Sum().ShouldBe(Streams);
    }

    private Task<NodeStore> StartNodeAsync(FaultProxy proxy) =>
        _nodes.StartAsync(configure: options => options.LeaseDuration = TimeSpan.FromSeconds(IsLong ? 30 : 10), proxy: proxy);

    /// <summary>
    /// Cuts lines, kills listeners, and once crashes a node and starts another in its place, until the readers have everything.
    /// </summary>
    private async Task<string> FaultsAsync(FaultProxy proxy, NodeStore doomed, Task all)
    {
        var random = new Random(_seed);
        var (cuts, killed) = (0, 0);
        for (var n = 0; !all.IsCompleted; n++)
        {
            await Task.WhenAny(all, Task.Delay(TimeSpan.FromMilliseconds(random.Next(50, 400)), TimeProvider.System, TestEnds));
            if (n == 4)
            {
                _alive[0] = null;
                await doomed.DisposeAsync();
            }
            else if (n == 8)
            {
                _alive[0] = await StartNodeAsync(proxy);
            }
            else if (n % 3 == 0)
            {
                killed += await cluster.KillListenersAsync();
            }
            else if (n % 3 == 1 && n < 60)
            {
                cuts += proxy.CutAll();
            }
        }

        return FormattableString.Invariant($"{cuts} connections cut, {killed} listeners killed, a node crashed and replaced");
    }

    private async Task<int> FollowAsync(int stream)
    {
        var random = new Random(HashCode.Combine(_seed, stream));
        var home = Any(random);
        var (id, producing) = await ProduceAsync(home, random.Next());
        var cursor = 0L;
        while (true)
        {
            try
            {
                Interlocked.Increment(ref _throws);
                if (await Any(random).FindAsync(id, TestEnds) is not { } run)
                {
                    throw new InvalidOperationException("The run is not there.");
                }

                var (reached, end) = await ReadSomeAsync(run, cursor, random.Next(1, Events / 4));
                cursor = reached;
                if (end is not { } status)
                {
                    continue;
                }

                await CheckEndAsync(producing, status, reached);
                return (int)reached;
            }
            catch (RunStoreException)
            {
                Interlocked.Increment(ref _failures);
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(20)), TimeProvider.System, TestEnds);
            }
        }
    }

    private NodeStore Any(Random random)
    {
        while (true)
        {
            if (_alive[random.Next(NodeCount)] is { } store)
            {
                return store;
            }
        }
    }

    /// <summary>
    /// Creates a run and writes numbers to it. The task tells how many were recorded for certain, and how the run ended, if it knows.
    /// </summary>
    private static async Task<(string Id, Task<(long Written, RunStatus? End)> Producing)> ProduceAsync(RunStore home, int seed)
    {
        while (true)
        {
            try
            {
                var run = await Nodes.CreateRunAsync(home);
                return (run.Id, Task.Run(() => WriteAsync(run, new Random(seed))));
            }
            catch (RunStoreException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestEnds);
            }
        }
    }

    private static async Task<(long Written, RunStatus? End)> WriteAsync(RunLog run, Random random)
    {
        var written = 0L;
        try
        {
            while (written < Events)
            {
                if ((await run.AppendAsync(RunReading.Number(written + 1), TestEnds)).Outcome != AppendOutcome.Appended)
                {
                    return (written, RunStatus.Failed);
                }

                written++;
                if (random.Next(3) == 0)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(30)), TimeProvider.System, TestEnds);
                }
            }

            return (written, await run.CloseAsync(RunEnd.Completed, TestEnds));
        }
        catch (RunStoreException)
        {
            return (written, null);
        }
    }

    /// <summary>Reads on from a cursor, checks each record, and leaves after some, or at the end of the run.</summary>
    private static async Task<(long Cursor, RunStatus? End)> ReadSomeAsync(RunLog run, long cursor, int most)
    {
        var news = new RunSignal();
        using var subscription = run.Subscribe(RunNews.Records, news);
        for (var leaveAt = cursor + most; cursor < leaveAt;)
        {
            var slice = await run.ReadAsync(cursor, 500, TestEnds);
            foreach (var record in slice.Records.ToArray())
            {
                record.Sequence.ShouldBe(++cursor);
                if (record.Content.EventType is null)
                {
                    RunReading.TextOf(record).ShouldBe(cursor.ToString(CultureInfo.InvariantCulture));
                }
            }

            if (slice.State.Status != RunStatus.Running && cursor >= slice.State.Tail)
            {
                return (cursor, slice.State.Status);
            }

            if (slice.Records.IsEmpty)
            {
                await news.WaitAsync();
            }
        }

        return (cursor, null);
    }

    private async Task CheckEndAsync(Task<(long Written, RunStatus? End)> producing, RunStatus status, long tail)
    {
        var (written, end) = await producing;
        if (end is { } known)
        {
            status.ShouldBe(known);
        }
        // Beyond what the producer was told of, only the event whose fate it never learned may be there, and the end.
        (tail - 1).ShouldBeInRange(written, end is null && written < Events ? written + 1 : written);
        _ends.AddOrUpdate(status == RunStatus.Completed ? "completed" : "ended as lost with their node", 1, static (_, count) => count + 1);
    }
}
