using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.LifeCycle;

/// <summary>Nothing is left behind, however often. PERENNIAL_LONG=1 runs ten times as many rounds.</summary>
[Collection(nameof(Alone))]
public class LeaksTests
{
    private static readonly int Factor = Environment.GetEnvironmentVariable("PERENNIAL_LONG") is "1" ? 10 : 1;

    [Fact]
    public async Task Ten_thousand_rounds_of_connect_and_close_leave_no_timer_socket_or_memory()
    {
        var time = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAndWaitAsync(1, 1));
        await RunAsync(500);
        var sockets = await OpenSocketsWhenStill(server);
        var memory = GC.GetTotalMemory(forceFullCollection: true);

        await RunAsync(10_000 * Factor);

        await Patience.Until(() => time.ActiveTimers == 0, "no timer is left");
        (await OpenSocketsWhenStill(server)).ShouldBeLessThanOrEqualTo(sockets + 4);
        // The server records requests, about 2 KB each; the client must keep nothing.
        ((GC.GetTotalMemory(forceFullCollection: true) - memory) / (10_000 * Factor)).ShouldBeLessThan(4000);
        ThreadPool.PendingWorkItemCount.ShouldBeLessThan(100);

        async Task RunAsync(int rounds)
        {
            for (var round = 0; round < rounds; round++)
            {
                var transport = server.Transport(services: new TransportServices { Time = time });
                await transport.ConnectAsync().Soon();
                if (round % 2 == 0)
                {
                    await transport.CloseAsync().Soon();
                }

                await transport.DisposeAsync().Soon();
            }
        }
    }

    [Fact]
    public async Task One_transport_that_is_connected_and_closed_again_and_again_does_not_grow()
    {
        var time = new ManualTimeProvider();
        await using var transport =
            new InMemoryTransport(services: new TransportServices { Time = time }, open: static (_, _, _) => new(new InMemoryConnection()));
        await RunAsync(1000);
        var memory = GC.GetTotalMemory(forceFullCollection: true);

        await RunAsync(10_000 * Factor);

        await Patience.Until(() => time.ActiveTimers == 0, "no timer is left");
        (GC.GetTotalMemory(forceFullCollection: true) - memory).ShouldBeLessThan(500_000);

        async Task RunAsync(int rounds)
        {
            for (var round = 0; round < rounds; round++)
            {
                await transport.ConnectAsync().Soon();
                await transport.CloseAsync().Soon();
            }
        }
    }

    [Fact]
    public async Task No_fault_leaves_an_exception_unobserved()
    {
        var unobserved = new List<Exception>();
        EventHandler<UnobservedTaskExceptionEventArgs> note = (_, e) =>
        {
            // Other tests' garbage may be found here, too: only what our own code throws counts.
            if (e.Exception.ToString().Contains("Perennial.", StringComparison.Ordinal))
            {
                lock (unobserved)
                {
                    unobserved.Add(e.Exception);
                }
            }
        };
        Collect();
        TaskScheduler.UnobservedTaskException += note;
        try
        {
            await RunFaultySessionsAsync();
            Collect();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= note;
        }

        unobserved.ShouldBeEmpty();

        static void Collect()
        {
            for (var i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
    }

    private static async Task RunFaultySessionsAsync()
    {
        await using var server = ScriptedServer.Start(
            static exchange => exchange.RespondAsync(500),
            static exchange =>
            {
                exchange.Reset();
                return Task.CompletedTask;
            },
            static async exchange =>
            {
                await exchange.StartEventStreamAsync();
                await exchange.WriteChunkAsync(EventStreams.Events(1, 3));
                await exchange.ResetAsync();
            },
            static exchange => exchange.StreamAndWaitAsync(4, 4));
        for (var round = 0; round < 5; round++)
        {
            var transport = server.Transport();
            transport.MessageReceived += static (_, _) => throw new InvalidOperationException("Broken by the test.");
            _ = transport.ConnectAsync();
            await Patience.Until(() => transport.GetMetrics().HandlerErrors > 0, "a handler threw");
            await transport.DisposeAsync().Soon();
        }

        var refused = new InMemoryTransport(open: static (_, _, _) => throw new InvalidOperationException("Broken by the test."));
        await refused.ReadAllAsync().TextsAsync().Soon().ShouldThrowAsync<TransportException>();
        await refused.DisposeAsync().Soon();

        var slow = new InMemoryTransport(open: static async (_, _, _) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
            throw new InvalidOperationException("Broken by the test.");
        });
        using var cancel = new CancellationTokenSource();
        var connecting = slow.ConnectAsync(cancel.Token);
        await cancel.CancelAsync();
        await connecting.Soon().ShouldThrowAsync<OperationCanceledException>();
        await slow.DisposeAsync().Soon();
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);

        var stuck = new InMemoryTransport();
        await stuck.ConnectAsync().Soon();
        stuck.Connection.OnDispose = static () => throw new InvalidOperationException("Broken by the test.");
        stuck.Connection.Break(isTransient: false);
        await stuck.Completion.Soon();
        await stuck.DisposeAsync().Soon();
    }

    private static async Task<int> OpenSocketsWhenStill(ScriptedServer server)
    {
        await Patience.Until(() => server.LiveConnections == 0, "no connection is open");
        return OpenSockets.Count;
    }
}
