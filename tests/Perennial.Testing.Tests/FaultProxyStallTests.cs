namespace Perennial.Testing.Tests;

public sealed class FaultProxyStallTests
{
    // More than the kernel's buffers on the whole way can hold, so a write of it cannot complete unless the client reads.
    private const int MoreThanBuffersHold = 96 * 1024 * 1024;

    [Fact(Timeout = 180_000)]
    public async Task A_stall_blocks_the_servers_writes_until_it_is_resumed()
    {
        var written = new TaskCompletionSource<Task>();
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            var write = connection.WriteAsync(new byte[MoreThanBuffersHold]);
            written.SetResult(write);
            await write;
            await connection.WaitForClientCloseAsync();
        });
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Stall(afterBytes: 1000));
        using var client = await Wire.ConnectAsync(proxy.Address);
        var write = await written.Task;

        await client.ReceiveAsync(1000);
        proxy.DownstreamBytes.ShouldBe(1000);
        write.IsCompleted.ShouldBeFalse();

        proxy.ResumeAll();
        await client.ReceiveAsync(MoreThanBuffersHold - 1000);
        await write;
        proxy.Cuts.ShouldBe(0);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_stall_ends_by_itself_after_its_duration()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.WriteAsync("0123456789");
            await connection.WaitForClientCloseAsync();
        });
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Stall(afterBytes: 4, TimeSpan.FromSeconds(30)), clock);
        using var client = await Wire.ConnectAsync(proxy.Address);

        (await client.ReceiveAsync(4)).ShouldBe("0123"u8.ToArray());
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(30), Wire.Cancelled);
        proxy.DownstreamBytes.ShouldBe(4);

        clock.Advance(TimeSpan.FromSeconds(30));
        (await client.ReceiveAsync(6)).ShouldBe("456789"u8.ToArray());
    }

    [Fact(Timeout = 180_000)]
    public async Task A_stall_begins_when_its_time_has_come_and_a_cut_can_follow()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.Stream.ReadExactlyAsync(new byte[1]);
            await connection.WriteAsync("0123456789");
            await connection.WaitForClientCloseAsync();
        });
        var plan = FaultPlan.Stall(After.Time(TimeSpan.FromSeconds(1)), TimeSpan.FromSeconds(5))
            .And(FaultPlan.Cut(afterBytes: 8, CutMode.Close));
        await using var proxy = FaultProxy.Start(server.Address, plan, clock);
        using var client = await Wire.ConnectAsync(proxy.Address);

        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(1), Wire.Cancelled);
        clock.Advance(TimeSpan.FromSeconds(1));
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(5), Wire.Cancelled);
        await client.SendAsync("?"u8.ToArray());
        proxy.DownstreamBytes.ShouldBe(0);

        clock.Advance(TimeSpan.FromSeconds(5));
        var (received, end) = await client.ReceiveToEndAsync();
        received.ShouldBe("01234567"u8.ToArray());
        end.ShouldBe(CutMode.Close);
    }

    [Fact(Timeout = 180_000)]
    public async Task Stalls_all_connections_old_and_new_until_they_are_resumed()
    {
        await using var server = ScriptedServer.StartRaw(EchoAsync);
        await using var proxy = FaultProxy.Start(server.Address);
        await using var flowing = FaultProxy.Start(server.Address);
        using var first = await Wire.ConnectAsync(proxy.Address);
        using var witness = await Wire.ConnectAsync(flowing.Address);
        await first.SendAsync("before"u8.ToArray());
        await first.ReceiveAsync(6);

        proxy.StallAll();
        using var second = await Wire.ConnectAsync(proxy.Address);
        await first.SendAsync("during"u8.ToArray());
        await second.SendAsync("second"u8.ToArray());
        // What gets there and back a hundred times elsewhere would have got through here, if it could.
        for (var i = 0; i < 100; i++)
        {
            await witness.SendAsync("x"u8.ToArray());
            await witness.ReceiveAsync(1);
        }
        proxy.UpstreamBytes.ShouldBe(6);

        proxy.ResumeAll();
        (await first.ReceiveAsync(6)).ShouldBe("during"u8.ToArray());
        (await second.ReceiveAsync(6)).ShouldBe("second"u8.ToArray());
    }

    [Fact(Timeout = 180_000)]
    public async Task A_client_that_leaves_ends_a_stall_that_would_last_for_ever()
    {
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.WriteAsync("0123456789");
            await connection.WaitForClientCloseAsync();
        });
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Stall(afterBytes: 5));

        using (var client = await Wire.ConnectAsync(proxy.Address))
        {
            await client.ReceiveAsync(5);
        }

        await proxy.WaitForNoConnectionsAsync(Wire.Cancelled);
    }

    [Fact(Timeout = 180_000)]
    public async Task No_stall_begins_after_the_client_has_left()
    {
        var clock = new ManualTimeProvider();
        var clientHasLeft = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.WaitForClientCloseAsync();
            clientHasLeft.SetResult();
            await goOn.Task;
            await connection.WriteAsync("last words");
        });
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Stall(After.Time(TimeSpan.FromSeconds(1))), clock);
        using var client = await Wire.ConnectAsync(proxy.Address);
        await clock.WaitForTimersAsync(1, Wire.Cancelled);
        client.FinishSending();
        await clientHasLeft.Task;

        clock.Advance(TimeSpan.FromSeconds(1));
        goOn.SetResult();

        (await client.ReceiveToEndAsync()).Received.ShouldBe("last words"u8.ToArray());
    }

    private static async Task EchoAsync(ScriptedConnection connection)
    {
        var buffer = new byte[1024];
        while (await connection.Stream.ReadAsync(buffer) is > 0 and var count)
        {
            await connection.WriteAsync(buffer.AsMemory(0, count));
        }
    }
}
