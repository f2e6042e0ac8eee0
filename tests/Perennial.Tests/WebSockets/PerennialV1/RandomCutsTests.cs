using Perennial.Testing;
using Perennial.Tests.Support;

namespace Perennial.Tests.WebSockets.PerennialV1;

/// <summary>The promise of numbered sends as a whole: exactly once, in order, whatever happens to the connections.</summary>
public class RandomCutsTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Every_message_arrives_exactly_once_and_in_order_over_a_hundred_cuts()
    {
        const int Messages = 20_000;
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var model = new NumberingServer(new Random(seed), cuts: 100);
        await using var server = ScriptedServer.Start(model.Script);
        await using var probe = server.SocketProbe(static options => options with
        {
            Reconnect = TransportProbe.AtOnce with { MaxAttempts = 1000 },
            Send = new() { QueueCapacity = Messages },
        });

        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, Messages).Select(i => probe.Transport.SendAsync($"{i}", probe.Token))).WaitAsync(probe.Token);

        outcomes.ShouldAllBe(static outcome => outcome == SendOutcome.Acknowledged);
        model.Taken.SequenceEqual(Enumerable.Range(0, Messages).Select(static i => $"{i}"), StringComparer.Ordinal).ShouldBeTrue();
        model.CutsLeft.ShouldBe(0);
        model.LostAcks.ShouldBeGreaterThan(0);
    }
}
