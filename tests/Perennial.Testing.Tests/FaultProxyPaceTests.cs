namespace Perennial.Testing.Tests;

public sealed class FaultProxyPaceTests
{
    [Fact(Timeout = 180_000)]
    public async Task Drips_a_piece_per_pause()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.StartRaw(connection => connection.WriteAsync("abcdefgh"));
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Drip(3, TimeSpan.FromSeconds(1)), clock);
        using var client = await Wire.ConnectAsync(proxy.Address);

        foreach (var piece in new[] { "abc", "def" })
        {
            await clock.WaitForTimerAsync(TimeSpan.FromSeconds(1), Wire.Cancelled);
            (await client.ReceiveSomeAsync()).ShouldBe(System.Text.Encoding.ASCII.GetBytes(piece));
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        (await client.ReceiveToEndAsync()).Received.ShouldBe("gh"u8.ToArray());
    }

    [Fact(Timeout = 180_000)]
    public async Task Throttles_to_the_rate()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.StartRaw(connection => connection.WriteAsync(new byte[10_000]));
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Throttle(bytesPerSecond: 1000), clock);
        using var client = await Wire.ConnectAsync(proxy.Address);

        var receiving = client.ReceiveToEndAsync();
        while (await SleepsAsync(clock, receiving))
        {
            proxy.DownstreamBytes.ShouldBe(50 + (clock.GetTimestamp() * 1000 / TimeSpan.TicksPerSecond));
            clock.AdvanceToNextTimer();
        }

        (await receiving).Received.Length.ShouldBe(10_000);
    }

    [Fact(Timeout = 180_000)]
    public async Task Throttles_many_small_writes_to_the_same_rate()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            for (var i = 0; i < 1000; i++)
            {
                await connection.WriteAsync("x");
                await connection.Stream.ReadExactlyAsync(new byte[1]);
            }
        });
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Throttle(bytesPerSecond: 100_000), clock);
        using var client = await Wire.ConnectAsync(proxy.Address);

        var echoing = Task.Run(async () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                await client.SendAsync(await client.ReceiveAsync(1));
            }
        }, Wire.Cancelled);
        while (await SleepsAsync(clock, echoing))
        {
            clock.AdvanceToNextTimer();
        }

        await echoing;
        // 1000 bytes at 100 bytes per millisecond; what is below one millisecond at the end is never waited for.
        TimeSpan.FromTicks(clock.GetTimestamp()).ShouldBeInRange(TimeSpan.FromMilliseconds(9), TimeSpan.FromMilliseconds(10));
    }

    [Fact(Timeout = 180_000)]
    public async Task Splits_at_the_given_sizes_in_turn()
    {
        await using var server = ScriptedServer.StartRaw(connection => connection.WriteAsync("abcdefghij"));
        await using var proxy = FaultProxy.Start(server.Address, _ => FaultPlan.Split(1, 3).And(FaultPlan.Stall(afterBytes: 4)));
        using var client = await Wire.ConnectAsync(proxy.Address);

        (await client.ReceiveAsync(4)).ShouldBe("abcd"u8.ToArray());
        proxy.ResumeAll();
        (await client.ReceiveToEndAsync()).Received.ShouldBe("efghij"u8.ToArray());
    }

    [Fact]
    public void The_boundaries_of_pieces_do_not_depend_on_how_the_sender_wrote()
    {
        var pacer = new Pacer(new Pacing { Sizes = [2, 3] }, TimeProvider.System);
        List<int> pieces = [];

        foreach (var written in new[] { 1, 6, 3 })
        {
            for (var left = written; left > 0;)
            {
                var piece = pacer.Next(left);
                pacer.PauseAfter(piece).ShouldBe(TimeSpan.Zero);
                pieces.Add(piece);
                left -= piece;
            }
        }

        pieces.ShouldBe([1, 1, 3, 2, 3]);
    }

    /// <summary>Waits until the proxy pauses, or the work is done.</summary>
    private static async Task<bool> SleepsAsync(ManualTimeProvider clock, Task work)
    {
        await Task.WhenAny(clock.WaitForTimersAsync(1, Wire.Cancelled), work);
        return !work.IsCompleted;
    }
}
