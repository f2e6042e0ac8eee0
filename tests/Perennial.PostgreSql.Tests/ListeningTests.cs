using Perennial.AspNetCore;
using Perennial.PostgreSql.Tests.Support;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.PostgreSql.Tests;

/// <summary>The connection on which a node listens for wake-ups.</summary>
public sealed class ListeningTests(PostgreSqlCluster cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(cluster);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task Readers_go_on_when_the_listening_connection_is_killed()
    {
        var time = new ManualTimeProvider();
        var (a, b) = (await _nodes.StartAsync(), await _nodes.StartAsync(time: time));
        var run = await Nodes.CreateRunAsync(a);
        var elsewhere = await Nodes.FindAsync(b, run);
        await RunReading.UntilAsync(() => Task.FromResult(a.IsListening && b.IsListening));
        var reading = elsewhere.FollowAsync();
        await run.AppendAsync(1, 10);

        (await cluster.KillListenersAsync()).ShouldBeGreaterThanOrEqualTo(2);     // and what an earlier test has left on its way out
        await RunReading.UntilAsync(() => Task.FromResult(!b.IsListening));
        await run.AppendAsync(11, 20);
        await run.CloseAsync(RunEnd.Completed, TestEnds);
        await time.WaitForTimerAsync(TimeSpan.FromMilliseconds(250), TestEnds);
        time.Advance(TimeSpan.FromMilliseconds(250));

        (await reading).ShouldBeNumbersAnd(RunEnd.Completed);
    }
}
