using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.WebSockets;

/// <summary>A thousand connections that break in every way leave nothing behind.</summary>
[Collection(nameof(Alone))]
public class LeakTests
{
    private const int Connections = 1000;

    [Fact]
    public async Task No_fault_leaves_a_socket_or_an_exception_nobody_observed()
    {
        await using var server = ScriptedServer.Start(ServerSocket.Script(static async socket =>
        {
            await socket.SendAsync([.. EventStreams.Numbers(1, 30).Select(Frame.OfText), Frame.Ping(), Frame.OfBinary(new byte[500])]);
            while (await socket.ReceiveAsync() is { Opcode: not 8 } frame)
            {
                await socket.SendAsync(frame with { IsMasked = false });
            }

            await socket.SendAsync(Frame.Close(1000));
        }));
        await using var proxy = FaultProxy.Start(server.Address, new RandomFaults
        {
            Seed = 20,
            MaxBytes = 1200,
            RefuseShare = 0.1,
            MaxPieceBytes = 64,
        }.PlanFor);
        await RunAsync(proxy, 20);
        var sockets = await OpenSocketsWhenStillAsync(server, proxy);
        var unobserved = new List<Exception>();
        EventHandler<UnobservedTaskExceptionEventArgs> note = (_, e) =>
        {
            lock (unobserved)
            {
                unobserved.Add(e.Exception);
            }
        };
        Collect();
        TaskScheduler.UnobservedTaskException += note;
        try
        {
            await RunAsync(proxy, Connections);
            (await OpenSocketsWhenStillAsync(server, proxy)).ShouldBeLessThanOrEqualTo(sockets + 4);
            Collect();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= note;
        }

        unobserved.Where(static e =>
            e.ToString().Contains("Perennial.", StringComparison.Ordinal) || e.ToString().Contains("WebSocket", StringComparison.Ordinal))
            .ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_without_end_is_refused_in_bounded_memory(bool isInFragments)
    {
        const int Limit = 1024 * 1024;
        var block = new byte[Limit / 16];
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            // A length of 2^62, or fragments for ever.
            await socket.SendBytesAsync((byte[])(isInFragments ? [] : [0x82, 127, 0x40, 0, 0, 0, 0, 0, 0, 0]));
            for (var opcode = 2; ; opcode = 0)
            {
                await (isInFragments ? socket.SendAsync(new Frame(opcode, block) { IsLast = false }) : socket.SendBytesAsync(block));
            }
        }));
        await using var probe = server.SocketProbe(static options => options with { MaxMessageBytes = Limit });
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var (_, error) = await probe.ReadToFailureAsync();

        error.Code.ShouldBe(TransportErrorCode.MessageTooLarge);
        await Patience.Until(() => server.LiveConnections == 0, "the connection is closed");
        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(16 * Limit);
    }

    /// <summary>Every transport reconnects through faults, sends meanwhile, and is left in the middle of it.</summary>
    private static async Task RunAsync(FaultProxy proxy, int connections)
    {
        var end = proxy.Connections + connections;
        while (proxy.Connections < end)
        {
            await using var probe = Sockets.Probe(Sockets.OptionsFor(proxy.Address) with { Buffer = new() { Capacity = 10 } });
            var sends = Enumerable.Range(0, 5).Select(i => probe.Transport.SendAsync(new byte[50 * i], probe.Token)).ToList();
            try
            {
                await probe.ReadTextsAsync(31);
            }
            catch (TransportException)
            {
                // The attempts are spent.
            }

            await probe.DisposeAsync();
            foreach (var send in sends)
            {
                await send.ContinueWith(static task => task.Exception, TaskScheduler.Default);
            }
        }
    }

    private static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private static async Task<int> OpenSocketsWhenStillAsync(ScriptedServer server, FaultProxy proxy)
    {
        await Patience.Until(() => server.LiveConnections == 0 && proxy.LiveConnections == 0, "no connection is open");
        return OpenSockets.Count;
    }
}
