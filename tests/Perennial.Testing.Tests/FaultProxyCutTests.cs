using System.Text;

namespace Perennial.Testing.Tests;

public sealed class FaultProxyCutTests
{
    private static readonly byte[] Payload = Wire.RandomBytes(200_000);

    [Theory(Timeout = 180_000)]
    [InlineData(CutMode.Reset)]
    [InlineData(CutMode.Close)]
    public async Task Delivers_exactly_the_bytes_before_the_cut(CutMode how)
    {
        long[] positions = [0, 1, 2, 99, 100, 1460, 4096, 65_535, 65_536, 65_537, 131_072, 199_999];
        await using var server = ScriptedServer.StartRaw(SendPayloadAndWaitAsync);
        await using var proxy = FaultProxy.Start(server.Address, index => FaultPlan.Cut(positions[index], how));

        foreach (var position in positions)
        {
            var (received, end) = await Wire.AskAsync(proxy.Address);

            received.ShouldBe(Payload[..(int)position]);
            end.ShouldBe(how);
        }
        proxy.Cuts.ShouldBe(positions.Length);
        proxy.DownstreamBytes.ShouldBe(positions.Sum());
    }

    [Fact(Timeout = 180_000)]
    public async Task Bytes_before_a_reset_outlive_it_for_a_client_that_reads_later()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems discard what was not read before the reset.");
        await using var server = ScriptedServer.StartRaw(SendPayloadAndWaitAsync);
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Cut(afterBytes: 50_000));

        using var client = await Wire.ConnectAsync(proxy.Address);
        await client.SendAsync(Wire.Question);
        await proxy.WaitForCutsAsync(1, Wire.Cancelled);

        var (received, end) = await client.ReceiveToEndAsync();
        received.ShouldBe(Payload[..50_000]);
        end.ShouldBe(CutMode.Reset);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_reset_waits_for_a_client_that_leaves_no_room_for_the_bytes_before_it()
    {
        const int Position = 20_000_000;
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.WriteAsync(new byte[Position + 1]);
            await connection.WaitForClientCloseAsync();
        });
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Cut(Position));

        using var client = await Wire.ConnectAsync(proxy.Address);
        await client.ReceiveAsync(1);
        proxy.Cuts.ShouldBe(0);

        var (received, end) = await client.ReceiveToEndAsync();
        received.Length.ShouldBe(Position - 1);
        end.ShouldBe(CutMode.Reset);
    }

    [Fact(Timeout = 180_000)]
    public async Task Cuts_behind_the_last_byte_of_the_nth_occurrence_wherever_writes_split_it()
    {
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            foreach (var letter in "data: 1\n\ndata: 2\n\n\ndata: 3\n\ndata: 4\n\n")
            {
                await connection.WriteAsync(letter.ToString());
            }

            await connection.WaitForClientCloseAsync();
        });
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Cut(After.Seen("\n\n", times: 3), CutMode.Close));

        using var client = await Wire.ConnectAsync(proxy.Address);
        var (received, _) = await client.ReceiveToEndAsync();

        Encoding.UTF8.GetString(received).ShouldBe("data: 1\n\ndata: 2\n\n\ndata: 3\n\n");
    }

    [Theory(Timeout = 180_000)]
    [InlineData("aab", "aaab--aab", 1, "aaab")]
    [InlineData("aa", "aaaa|", 2, "aaaa")]
    [InlineData("abab", "ababab-abab-", 2, "ababab-abab")]
    public async Task Occurrences_may_begin_anywhere_and_do_not_overlap(string sequence, string sent, int times, string expected)
    {
        await using var server = ScriptedServer.StartRaw(connection => connection.WriteAsync(sent));
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Cut(After.Seen(sequence, times), CutMode.Close));

        using var client = await Wire.ConnectAsync(proxy.Address);
        var (received, _) = await client.ReceiveToEndAsync();

        Encoding.UTF8.GetString(received).ShouldBe(expected);
    }

    [Fact(Timeout = 180_000)]
    public async Task Cuts_when_its_time_has_come()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.StartRaw(connection => connection.WaitForClientCloseAsync());
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Cut(After.Time(TimeSpan.FromSeconds(3))), clock);
        using var client = await Wire.ConnectAsync(proxy.Address);
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(3), Wire.Cancelled);

        clock.Advance(TimeSpan.FromSeconds(2.9));
        proxy.Cuts.ShouldBe(0);

        clock.Advance(TimeSpan.FromSeconds(0.1));
        (await client.ReceiveToEndAsync()).End.ShouldBe(CutMode.Reset);
        proxy.Cuts.ShouldBe(1);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_connection_that_ends_before_its_time_leaves_no_timer()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.StartRaw(connection => connection.WriteAsync("done"));
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Cut(After.Time(TimeSpan.FromHours(1))), clock);

        using (var client = await Wire.ConnectAsync(proxy.Address))
        {
            (await client.ReceiveToEndAsync()).End.ShouldBe(CutMode.Close);
        }

        await proxy.WaitForNoConnectionsAsync(Wire.Cancelled);

        clock.ActiveTimers.ShouldBe(0);
        proxy.Cuts.ShouldBe(0);
    }

    [Theory(Timeout = 180_000)]
    [InlineData(CutMode.Reset)]
    [InlineData(CutMode.Close)]
    public async Task Cuts_what_the_client_sends(CutMode how)
    {
        var arrived = new TaskCompletionSource<int>();
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            var count = 0;
            var buffer = new byte[1000];
            try
            {
                while (await connection.Stream.ReadAsync(buffer) is > 0 and var more)
                {
                    count += more;
                }
            }
            finally
            {
                arrived.SetResult(count);
            }
        });
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Cut(afterBytes: 77, how).OnUpstream());

        using var client = await Wire.ConnectAsync(proxy.Address);
        await client.SendAsync(Payload.AsMemory(0, 500));

        (await client.ReceiveToEndAsync()).End.ShouldBe(how);
        (await arrived.Task).ShouldBe(77);
        proxy.UpstreamBytes.ShouldBe(77);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_close_delivers_what_was_sent_before_even_when_the_proxy_left_bytes_of_the_client_unread()
    {
        const int Position = 1_000_000;   // fits into the kernel's buffers, and not into the client's window
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await Wire.HearAsync(connection);
            await connection.WriteAsync(new byte[Position + 1]);
            await connection.WaitForClientCloseAsync();
        });
        await using var proxy = FaultProxy.Start(
            server.Address, FaultPlan.Cut(Position, CutMode.Close).And(FaultPlan.Stall(afterBytes: 1).OnUpstream()));
        using var client = await Wire.ConnectAsync(proxy.Address);
        await client.SendAsync(new byte[100_000]);
        await proxy.WaitForCutsAsync(1, Wire.Cancelled);

        var (received, end) = await client.ReceiveToEndAsync();

        received.Length.ShouldBe(Position);
        end.ShouldBe(CutMode.Close);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_cut_reaches_the_server_as_well()
    {
        var serverSawTheEnd = new TaskCompletionSource();
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await Wire.HearAsync(connection);
            await connection.WriteAsync("0123456789");
            await connection.WaitForClientCloseAsync();
            serverSawTheEnd.SetResult();
        });
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Cut(afterBytes: 5));

        await Wire.AskAsync(proxy.Address);
        await serverSawTheEnd.Task.WaitAsync(Wire.Cancelled);
    }

    [Theory(Timeout = 180_000)]
    [InlineData(CutMode.Reset)]
    [InlineData(CutMode.Close)]
    public async Task Cuts_all_connections_at_once(CutMode how)
    {
        await using var server = ScriptedServer.StartRaw(connection => connection.WaitForClientCloseAsync());
        await using var proxy = FaultProxy.Start(server.Address);
        using var first = await Wire.ConnectAsync(proxy.Address);
        using var second = await Wire.ConnectAsync(proxy.Address);
        await proxy.WaitForConnectionsAsync(2, Wire.Cancelled);

        proxy.CutAll(how).ShouldBe(2);

        (await first.ReceiveToEndAsync()).End.ShouldBe(how);
        (await second.ReceiveToEndAsync()).End.ShouldBe(how);
        await proxy.WaitForNoConnectionsAsync(Wire.Cancelled);
        proxy.CutAll(how).ShouldBe(0);
        proxy.Cuts.ShouldBe(2);
    }

    private static async Task SendPayloadAndWaitAsync(ScriptedConnection connection)
    {
        await Wire.HearAsync(connection);
        await connection.WriteAsync(Payload);
        await connection.WaitForClientCloseAsync();
    }
}
