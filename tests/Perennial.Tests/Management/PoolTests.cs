using Perennial.Auto;
using Perennial.HttpStreams;
using Perennial.Management;
using Perennial.Sse;
using Perennial.Streams;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.WebSockets;

namespace Perennial.Tests.Management;

/// <summary>Creating, finding, capping, closing and sweeping.</summary>
public class PoolTests
{
    private static readonly Uri Anywhere = new("http://127.0.0.1:9/");

    [Fact]
    public async Task Every_kind_is_created_by_name_or_by_its_options()
    {
        await using var manager = new TransportManager();

        manager.Create("sse", new SseTransportOptions { Endpoint = Anywhere }).ShouldBeOfType<SseTransport>();
        manager.Create(new WebSocketTransportOptions { Endpoint = Anywhere }).ShouldBeOfType<WebSocketTransport>();
        manager.Create("http-stream", new HttpStreamTransportOptions { Endpoint = Anywhere }).ShouldBeOfType<HttpStreamTransport>();
        manager.Create(new LongPollTransportOptions { Endpoint = Anywhere }).ShouldBeOfType<LongPollTransport>();
        manager.Create("auto", new AutoTransportOptions { Endpoint = Anywhere }).ShouldBeOfType<AutoTransport>();

        manager.Create(new ByteStreamTransportOptions { Endpoint = new Uri("unix:/nowhere.sock:/") }).ShouldBeOfType<ByteStreamTransport>();

        foreach (var kind in TransportKinds.Default.Names)
        {
            var transport = manager.OfKind(kind).ShouldHaveSingleItem();
            transport.Kind.ShouldBe(kind);
            manager.Find(transport.Id).ShouldBeSameAs(transport);
        }

        manager.Find("nobody").ShouldBeNull();
        manager.InState(TransportState.Idle).Count.ShouldBe(6);
        manager.InState(TransportState.Connected).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_cannot_be_created_says_so_and_takes_no_place()
    {
        await using var manager = new TransportManager();

        Should.Throw<ArgumentException>(() => manager.Create("carrier-pigeon", new SseTransportOptions { Endpoint = Anywhere }))
            .Message.ShouldStartWith(
                "Unknown transport kind 'carrier-pigeon'. The kinds are: auto, byte-stream, http-stream, long-poll, sse, websocket.");
        Should.Throw<ArgumentException>(() => manager.Create("sse", new LongPollTransportOptions { Endpoint = Anywhere }))
            .Message.ShouldStartWith("A transport of kind 'sse' takes SseTransportOptions, not LongPollTransportOptions.");
        Should.Throw<ArgumentException>(() => manager.Create(new InMemoryTransportOptions())).Message.ShouldStartWith(
            "No kind of transport takes InMemoryTransportOptions.");
        Should.Throw<ArgumentOutOfRangeException>(
            () => manager.Create(new SseTransportOptions { Endpoint = Anywhere, MaxMessageBytes = 0 }));

        manager.GetSummary().Created.ShouldBe(0);
    }

    [Fact]
    public async Task A_full_pool_says_what_is_in_it_after_it_was_swept_for_room()
    {
        await using var manager = new TransportManager(Managed.Options with { MaxTransports = 3 });
        var (connected, idle, ended) = (manager.CreateMemory(), manager.CreateMemory(), manager.CreateMemory());
        await connected.ConnectAsync().Soon();
        await ended.ConnectAsync().Soon();
        ended.Connection.Break(isTransient: false);
        await ended.Completion.Soon();

        var late = manager.CreateMemory();

        manager.Transports.ShouldBe([connected, idle, late], ignoreOrder: true);
        var full = Should.Throw<PoolFullException>(() => manager.CreateMemory());
        full.Message.ShouldBe(
            "The pool is full: 3 of 3 transports (2 Idle, 1 Connected), none of them ended or idle. Close one, or raise MaxTransports.");
        full.Summary.Utilization.ShouldBe(100);
    }

    [Fact]
    public async Task A_transport_made_elsewhere_is_kept_like_any_other()
    {
        var manager = new TransportManager(Managed.Options);
        var transport = new InMemoryTransport(services: manager.Services);
        manager.Register(transport);

        manager.Find(transport.Id).ShouldBeSameAs(transport);
        Should.Throw<ArgumentException>(() => manager.Register(transport));
        await transport.ConnectAsync().Soon();
        await manager.DisposeAsync().Soon();

        transport.State.ShouldBe(TransportState.Closed);
        transport.IsCoreDisposed.ShouldBeTrue();
        await using var other = new InMemoryTransport();
        Should.Throw<ObjectDisposedException>(() => manager.Register(other));
        await manager.DisposeAsync().Soon();
    }

    [Fact]
    public async Task One_can_be_closed_by_its_id()
    {
        await using var manager = new TransportManager(Managed.Options);
        var (one, other) = (manager.CreateMemory(), manager.CreateMemory());
        await one.ConnectAsync().Soon();

        (await manager.CloseAsync(one.Id).Soon()).ShouldBeTrue();

        one.State.ShouldBe(TransportState.Closed);
        one.IsCoreDisposed.ShouldBeTrue();
        manager.Transports.ShouldBe([other]);
        (await manager.CloseAsync(one.Id).Soon()).ShouldBeFalse();
    }

    [Fact]
    public async Task Closing_all_ends_within_its_bound_although_one_peer_is_deaf()
    {
        var time = new ManualTimeProvider();
        await using var manager = new TransportManager(
            Managed.Options with { CloseTimeout = TimeSpan.FromSeconds(1), HealthCheckInterval = TimeSpan.FromMinutes(1) },
            new TransportServices { Time = time });
        var transports = Enumerable.Range(0, 10).Select(_ => manager.CreateMemory()).ToList();
        foreach (var transport in transports)
        {
            await transport.ConnectAsync().Soon();
        }

        transports[3].Connection.OnDispose = static () => new ValueTask(new TaskCompletionSource().Task);
        var closing = manager.CloseAllAsync();
        await Task.WhenAll(transports.Where((_, i) => i != 3).Select(static transport => transport.Completion)).Soon();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1)).Soon();
        await Patience.Until(() => transports.Count(static transport => transport.IsCoreDisposed) == 9, "all others are closed");
        closing.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(1));
        await closing.Soon();

        manager.Transports.ShouldBeEmpty();
        transports[3].IsCoreDisposed.ShouldBeFalse();
        await Patience.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));      // to the transport's own bound, which it may have set only now
                return transports[3].IsCoreDisposed;
            },
            "the deaf one is left as well");
    }

    [Fact]
    public async Task A_connected_transport_with_unread_messages_is_not_idle()
    {
        var time = new ManualTimeProvider();
        await using var manager =
            new TransportManager(Managed.Options with { MaxIdleTime = TimeSpan.FromMinutes(5) }, new TransportServices { Time = time });
        var transport = manager.CreateMemory(
            new InMemoryTransportOptions { IdleTimeout = Timeout.InfiniteTimeSpan, Buffer = new BufferOptions { Capacity = 2 } });
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1", "2", "3");
        await Patience.Until(() => transport.GetMetrics().BufferSize == 2, "the buffer is full");
        time.Advance(TimeSpan.FromMinutes(6));

        manager.Sweep().ShouldBe(0);

        manager.Find(transport.Id).ShouldBe(transport);
    }

    [Fact]
    public async Task What_ended_or_fell_idle_is_swept_but_not_what_is_read_or_has_messages_waiting()
    {
        var time = new ManualTimeProvider();
        await using var manager = new TransportManager(
            Managed.Options with { MaxIdleTime = TimeSpan.FromMinutes(5) }, new TransportServices { Time = time });
        var removed = new List<(Transport, RemovalReason)>();
        manager.Events.Removed += (_, e) =>
        {
            lock (removed)
            {
                removed.Add((e.Transport, e.Reason));
            }
        };
        var options = new InMemoryTransportOptions { IdleTimeout = Timeout.InfiniteTimeSpan };
        var (idle, read, handled, active, completed, unread, failed) = (
            manager.CreateMemory(options), manager.CreateMemory(options), manager.CreateMemory(options), manager.CreateMemory(options),
            manager.CreateMemory(options), manager.CreateMemory(options), manager.CreateMemory(options));
        foreach (var transport in new[] { idle, active, completed, unread, failed })
        {
            await transport.ConnectAsync().Soon();
        }

        await using var reader = read.ReadAllAsync().GetAsyncEnumerator();
        var next = reader.MoveNextAsync().AsTask();
        handled.MessageReceived += static (_, _) => { };
        await handled.ConnectAsync().Soon();
        completed.Connection.Finish();
        unread.Connection.Say("1").Finish();
        failed.Connection.Break(isTransient: false);
        await Task.WhenAll(completed.Completion, unread.Completion, failed.Completion).Soon();

        manager.Sweep().ShouldBe(1);
        manager.Transports.ShouldNotContain(completed);

        time.Advance(TimeSpan.FromMinutes(4));
        active.Connection.Script(static batch =>
        {
            batch.BytesReceived = 5;
            return ReadOutcome.More;
        });
        await Patience.Until(() => active.GetMetrics().LastHeartbeatAt is not null, "traffic");
        manager.Sweep().ShouldBe(0);
        time.Advance(TimeSpan.FromMinutes(1));
        manager.Sweep().ShouldBe(2);

        manager.Transports.ShouldBe([read, handled, active, unread], ignoreOrder: true);
        await Patience.Until(() => removed.Count == 3, "all are closed");
        removed.ShouldBe(
            [(completed, RemovalReason.Ended), (idle, RemovalReason.Idle), (failed, RemovalReason.Idle)], ignoreOrder: true);
        next.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromMinutes(4));
        manager.Sweep().ShouldBe(1);
        manager.Transports.ShouldNotContain(active);
    }

    [Fact]
    public async Task The_pool_is_swept_and_checked_by_itself()
    {
        var time = new ManualTimeProvider();
        await using var manager =
            new TransportManager(new TransportManagerOptions { Kinds = Managed.Kinds }, new TransportServices { Time = time });
        var checks = 0;
        manager.Events.HealthChecked += (_, _) => checks++;
        manager.CreateMemory();

        time.Advance(TimeSpan.FromSeconds(299));
        (checks, manager.Transports.Count).ShouldBe((9, 1));
        time.Advance(TimeSpan.FromSeconds(1));
        (checks, manager.Transports.Count).ShouldBe((10, 0));
        await manager.DisposeAsync().Soon();
        await Patience.Until(() => time.ActiveTimers == 0, "no timer is left");
    }

    [Fact]
    public async Task What_is_closed_is_forgotten()
    {
        await using var manager = new TransportManager(Managed.Options);
        manager.Events.MessageReceived += static (_, _) => { };
        var closed = new List<WeakReference>();
        for (var round = 0; round < 100; round++)
        {
            closed.Add(await OpenAndCloseAsync(manager));
        }

        await Patience.Until(
            () =>
            {
                GC.Collect();
                return closed.Count(static transport => transport.IsAlive) <= 1;       // the last may still be on the stack
            },
            "the transports are collected");

        static async Task<WeakReference> OpenAndCloseAsync(TransportManager manager)
        {
            var transport = manager.CreateMemory();
            await transport.ConnectAsync().Soon();
            await manager.CloseAsync(transport.Id).Soon();
            return new WeakReference(transport);
        }
    }

    [Fact]
    public async Task From_many_threads_the_counts_add_up()
    {
        await using var manager = new TransportManager(Managed.Options with { MaxTransports = 20 });
        var full = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var round = 0; round < 200; round++)
            {
                try
                {
                    var transport = manager.CreateMemory();
                    manager.GetSummary().Live.ShouldBeInRange(0, 20);
                    if ((worker + round) % 3 == 0)
                    {
                        await manager.CloseAsync(transport.Id);
                    }
                }
                catch (PoolFullException)
                {
                    Interlocked.Increment(ref full);
                    await manager.CloseAllAsync();
                }
            }
        }))).Soon();

        var summary = manager.GetSummary();
        summary.Created.ShouldBe((8 * 200) - full);
        summary.Created.ShouldBe(summary.Live + summary.Removed);
        summary.Live.ShouldBe(manager.Transports.Count);
    }
}
