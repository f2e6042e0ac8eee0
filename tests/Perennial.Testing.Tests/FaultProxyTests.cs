using System.Net.Sockets;
using System.Security.Cryptography;

namespace Perennial.Testing.Tests;

public sealed class FaultProxyTests
{
    [Fact(Timeout = 180_000)]
    public async Task Carries_a_quarter_of_a_gigabyte_unchanged_both_ways()
    {
        const int Blocks = 256;
        var block = Wire.RandomBytes(1024 * 1024);
        using var sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var received = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            var buffer = new byte[256 * 1024];
            while (await connection.Stream.ReadAsync(buffer) is > 0 and var count)
            {
                await connection.WriteAsync(buffer.AsMemory(0, count));
            }
        });
        await using var proxy = FaultProxy.Start(server.Address);
        using var client = await Wire.ConnectAsync(proxy.Address);

        var receiving = Task.Run(async () =>
        {
            while (await client.ReceiveSomeAsync() is { Length: > 0 } bytes)
            {
                received.AppendData(bytes);
            }
        }, Wire.Cancelled);
        for (var i = 0; i < Blocks; i++)
        {
            block[0] = (byte)i;
            sent.AppendData(block);
            await client.SendAsync(block);
        }
        client.FinishSending();
        await receiving;

        received.GetHashAndReset().ShouldBe(sent.GetHashAndReset());
        proxy.DownstreamBytes.ShouldBe(Blocks * 1024L * 1024);
        proxy.UpstreamBytes.ShouldBe(Blocks * 1024L * 1024);
    }

    [Fact(Timeout = 180_000)]
    public async Task HTTP_passes_through_with_path_and_query_and_the_counters_agree()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(200, "hello"));
        await using var proxy = FaultProxy.Start(new Uri(server.Address, "stream?room=1"));
        using var http = new HttpClient();

        (await http.GetStringAsync(proxy.Address, Wire.Cancelled)).ShouldBe("hello");

        proxy.Address.PathAndQuery.ShouldBe("/stream?room=1");
        proxy.Address.Port.ShouldNotBe(server.Address.Port);
        server.Requests[0].Target.ShouldBe("/stream?room=1");
        proxy.Connections.ShouldBe(1);
        proxy.LiveConnections.ShouldBe(1);   // kept alive by the client
        proxy.Cuts.ShouldBe(0);
    }

    [Fact(Timeout = 180_000)]
    public async Task Every_connection_has_its_own_plan()
    {
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await Wire.HearAsync(connection);
            await connection.WriteAsync("0123456789");
        });
        await using var proxy = FaultProxy.Start(
            server.Address, FaultPlan.InOrder(FaultPlan.Cut(3), FaultPlan.Refuse, FaultPlan.Cut(7, CutMode.Close), FaultPlan.None));

        List<(int, CutMode)> seen = [];
        for (var i = 0; i < 5; i++)
        {
            var (received, end) = await Wire.AskAsync(proxy.Address);
            seen.Add((received.Length, end));
        }

        seen.ShouldBe([(3, CutMode.Reset), (0, CutMode.Reset), (7, CutMode.Close), (10, CutMode.Close), (10, CutMode.Close)]);
        proxy.Connections.ShouldBe(5);
        proxy.Cuts.ShouldBe(3);
        server.Connections.ShouldBe(4);
    }

    [Fact(Timeout = 180_000)]
    public async Task Swallowed_requests_get_no_answer_and_reach_no_server()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(200));
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Swallow);
        using (var client = await Wire.ConnectAsync(proxy.Address))
        {
            await client.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
            client.FinishSending();
            (await client.ReceiveToEndAsync()).Received.ShouldBeEmpty();
        }

        await proxy.WaitForNoConnectionsAsync(Wire.Cancelled);
        server.Connections.ShouldBe(0);
    }

    [Fact(Timeout = 180_000)]
    public async Task Refuses_like_a_dead_process_and_comes_back_on_the_same_port()
    {
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.WriteAsync("hello");
            await connection.WaitForClientCloseAsync();
        });
        await using var proxy = FaultProxy.Start(server.Address);
        using var survivor = await Wire.ConnectAsync(proxy.Address);
        await proxy.WaitForConnectionsAsync(1, Wire.Cancelled);

        for (var i = 0; i < 20; i++)
        {
            proxy.Refusing = true;
            var refusal = await Should.ThrowAsync<SocketException>(() => Wire.ConnectAsync(proxy.Address));
            refusal.SocketErrorCode.ShouldBe(SocketError.ConnectionRefused);

            proxy.Refusing = false;
            using var client = await Wire.ConnectAsync(proxy.Address);
            await client.ReceiveAsync(5);
        }

        await survivor.ReceiveAsync(5);
        proxy.Connections.ShouldBe(21);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_server_that_is_down_resets_the_client()
    {
        Uri gone;
        await using (var server = ScriptedServer.StartRaw(_ => Task.CompletedTask))
        {
            gone = server.Address;
        }

        await using var proxy = FaultProxy.Start(gone);

        (await Wire.AskAsync(proxy.Address)).End.ShouldBe(CutMode.Reset);
        proxy.Cuts.ShouldBe(0);
    }

    [Theory(Timeout = 180_000)]
    [InlineData(CutMode.Reset)]
    [InlineData(CutMode.Close)]
    public async Task The_way_the_server_ends_is_passed_on(CutMode how)
    {
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await Wire.HearAsync(connection);
            await connection.WriteAsync("bye");
            if (how == CutMode.Reset)
            {
                await connection.ResetAsync();
            }
        });
        await using var proxy = FaultProxy.Start(server.Address);

        var (received, end) = await Wire.AskAsync(proxy.Address);

        end.ShouldBe(how);
        if (how == CutMode.Close)
        {
            received.ShouldBe("bye"u8.ToArray());
        }

        proxy.Cuts.ShouldBe(0);
    }

    [Fact(Timeout = 180_000)]
    public async Task Disposing_ends_everything_whatever_it_was_doing()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.StartRaw(async connection => await connection.WriteAsync(new byte[96 * 1024 * 1024]));
        FaultPlan[] plans =
        [
            FaultPlan.None,
            FaultPlan.Stall(1),
            FaultPlan.Stall(1, TimeSpan.FromDays(1)),
            FaultPlan.Swallow,
            FaultPlan.Drip(1, TimeSpan.FromDays(1)),
            FaultPlan.Throttle(1),
            FaultPlan.Cut(After.Time(TimeSpan.FromDays(1))),
            FaultPlan.Cut(64 * 1024 * 1024),
        ];
        var proxy = FaultProxy.Start(server.Address, FaultPlan.InOrder(plans), clock);
        List<Wire> clients = [];
        foreach (var _ in plans)
        {
            clients.Add(await Wire.ConnectAsync(proxy.Address));
        }

        await proxy.WaitForConnectionsAsync(plans.Length, Wire.Cancelled);

        await proxy.DisposeAsync();
        await proxy.DisposeAsync();

        proxy.LiveConnections.ShouldBe(0);
        clock.ActiveTimers.ShouldBe(0);
        proxy.Cuts.ShouldBe(0);
        await Should.ThrowAsync<SocketException>(() => Wire.ConnectAsync(proxy.Address));
        foreach (var client in clients)
        {
            (await client.ReceiveToEndAsync()).End.ShouldBe(CutMode.Reset);
            client.Dispose();
        }
    }

    [Fact(Timeout = 180_000)]
    public async Task What_the_plan_function_throws_is_thrown_at_the_end()
    {
        await using var server = ScriptedServer.StartRaw(_ => Task.CompletedTask);
        var proxy = FaultProxy.Start(server.Address, index => throw new InvalidTimeZoneException($"plan {index}"));
        (await Wire.AskAsync(proxy.Address)).End.ShouldBe(CutMode.Reset);

        var thrown = await Should.ThrowAsync<InvalidTimeZoneException>(async () => await proxy.DisposeAsync());

        thrown.Message.ShouldBe("plan 0");
        await proxy.DisposeAsync();
    }

    [Theory]
    [InlineData("/relative")]
    [InlineData("tcp://127.0.0.1")]
    public void An_upstream_needs_a_port(string upstream) =>
        Should.Throw<ArgumentException>(() => FaultProxy.Start(new Uri(upstream, UriKind.RelativeOrAbsolute)))
            .ParamName.ShouldBe("upstream");

    [Fact(Timeout = 180_000)]
    public async Task Waiting_can_be_cancelled()
    {
        await using var proxy = FaultProxy.Start(new Uri("tcp://localhost:9"));
        using var cancel = new CancellationTokenSource();
        var waiting = proxy.WaitForConnectionsAsync(1, cancel.Token);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => waiting);
    }
}
