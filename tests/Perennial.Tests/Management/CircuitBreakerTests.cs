using System.Collections.Concurrent;
using System.Diagnostics;
using Perennial.Management;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Management;

/// <summary>A dead host is left alone by all, and one who asks again asks for all.</summary>
public class CircuitBreakerTests
{
    private static readonly ReconnectOptions ForEver = new() { InitialDelay = TimeSpan.Zero, MaxDelay = TimeSpan.FromSeconds(1), MaxAttempts = ReconnectOptions.Unlimited };

    private readonly ManualTimeProvider _time = new();
    private int _connects;
    private volatile bool _isDead = true;

    [Fact]
    public async Task A_hundred_transports_make_few_connects_to_a_dead_host_and_all_connect_when_it_is_back()
    {
        await using var manager = NewManager();
        var transports = Enumerable.Range(0, 100).Select(_ => Register(manager, ForEver)).ToList();
        var connecting = transports.Select(static transport => transport.ConnectAsync()).ToList();

        await PassAsync(TimeSpan.FromMinutes(10));

        // At most one of each before the breaker opens; then a probe after 5, 10, 20, 40 and every 60 s.
        var connects = Volatile.Read(ref _connects);
        TestContext.Current.TestOutputHelper?.WriteLine($"100 transports made {connects} connects to a dead host in ten minutes");
        connects.ShouldBeLessThanOrEqualTo(100 + 13);
        transports.ShouldAllBe(static transport => transport.State == TransportState.Reconnecting || transport.State == TransportState.Connecting);
        manager.Services.Breakers!.Broken.Single().Key.ShouldBe("http://memory.test:80");
        manager.CheckHealth().BrokenOrigins.Count.ShouldBe(1);
        manager.CheckHealth().Transports.ShouldAllBe(static health => health.Breaker != BreakerState.Closed && health.Status == HealthStatus.Unhealthy);
        var before = Volatile.Read(ref _connects);
        await PassAsync(TimeSpan.FromMinutes(1));
        (Volatile.Read(ref _connects) - before).ShouldBeLessThanOrEqualTo(2);

        _isDead = false;
        for (var minutes = 0; !Task.WhenAll(connecting).IsCompleted; minutes++)
        {
            minutes.ShouldBeLessThan(60);
            await PassAsync(TimeSpan.FromMinutes(1));
        }

        await Task.WhenAll(connecting).Soon();
        manager.Services.Breakers.Broken.ShouldBeEmpty();
        manager.CheckHealth().Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task Waiting_for_a_probe_is_bounded_and_its_failure_is_a_failed_try_of_all_who_wait()
    {
        await using var manager = NewManager();
        var few = ForEver with { MaxAttempts = 3 };
        var transports = Enumerable.Range(0, 20).Select(_ => Register(manager, few)).ToList();
        foreach (var transport in transports)
        {
            _ = transport.ReadAllAsync().GetAsyncEnumerator().MoveNextAsync().AsTask();
        }

        await PassUntilAsync(() => transports.TrueForAll(static transport => transport.Completion.IsCompleted), TimeSpan.FromMinutes(1));

        var ends = await Task.WhenAll(transports.Select(static transport => transport.Completion)).Soon();
        ends.ShouldAllBe(static end => end.Error!.Code == TransportErrorCode.AttemptsExhausted);
        ends.Count(static end => ((TransportException)end.Error!.InnerException!).Code == TransportErrorCode.CircuitOpen).ShouldBeGreaterThan(10);
        ends.ShouldAllBe(static end => end.Error!.ToString().Contains("Refused by the test."));
    }

    [Fact]
    public async Task Closing_ends_the_wait_at_once_and_a_probe_that_is_cancelled_is_made_by_another()
    {
        await using var manager = NewManager();
        var mayHang = false;
        var probers = new ConcurrentQueue<MemoryTransport>();
        var transports = Enumerable.Range(0, 20).Select(_ => Register(manager, ForEver, async (transport, cancellationToken) =>
        {
            if (!mayHang)
            {
                throw Refused();
            }

            probers.Enqueue(transport);
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken);
            throw new UnreachableException();
        })).ToList();
        foreach (var transport in transports)
        {
            _ = transport.ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        }

        await PassAsync(TimeSpan.FromSeconds(3));
        mayHang = true;
        await PassUntilAsync(() => probers.Count == 1);
        manager.Services.Breakers!.StateOf(MemoryTransport.Options.Endpoint).ShouldBe(BreakerState.Probing);
        var waiting = transports.First(transport => transport != probers.First());
        await waiting.CloseAsync().Soon();      // no time passes

        for (var probes = 1; probes < 19; probes++)
        {
            await probers.Last().CloseAsync().Soon();
            await PassUntilAsync(() => probers.Count == probes + 1);
        }

        probers.Distinct().Count().ShouldBe(19);
        await probers.Last().CloseAsync().Soon();
        transports.ShouldAllBe(static transport => transport.State == TransportState.Closed);
    }

    [Fact]
    public async Task A_refusal_of_one_transport_does_not_count_against_the_origin()
    {
        await using var manager = NewManager();
        for (var i = 0; i < 20; i++)
        {
            var refused = Register(manager, ForEver, static (_, _) => throw new TransportException(TransportErrorCode.HttpStatus, "Unauthorised, says the test."));
            await refused.ConnectAsync().Soon().ShouldThrowAsync<TransportException>();
        }

        manager.Services.Breakers!.Broken.ShouldBeEmpty();
    }

    [Fact]
    public async Task Origins_are_told_apart_and_a_transport_of_its_own_can_have_a_breaker_too()
    {
        var services = new TransportServices { Time = _time, Breakers = new OriginBreakers(new CircuitBreakerOptions { Failures = 2 }, _time) };
        var dead = new MemoryTransport(MemoryTransport.Options with { Reconnect = ForEver }, services, static (_, _, _) => throw Refused());
        _ = dead.ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        await Patience.Until(() => services.Breakers.Broken.Count == 1, "the breaker opens");
        dead.Attempts.ShouldBe(2);

        var other = new MemoryTransport(new MemoryTransportOptions { Endpoint = new Uri("http://memory.test:81/") }, services);
        await other.ConnectAsync().Soon();

        services.Breakers.StateOf(new Uri("ws://MEMORY.test/elsewhere")).ShouldBe(BreakerState.Open);
        services.Breakers.StateOf(new Uri("https://memory.test/")).ShouldBe(BreakerState.Closed);
        await dead.DisposeAsync().Soon();
        await other.DisposeAsync().Soon();
        await Patience.Until(() => _time.ActiveTimers == 0, "no timer is left");
    }

    private static TransportException Refused() => new(TransportErrorCode.ConnectFailed, "Refused by the test.", isTransient: true);

    private TransportManager NewManager() => new(Managed.Options with { MaxIdleTime = Timeout.InfiniteTimeSpan }, new TransportServices { Time = _time });

    private MemoryTransport Register(
        TransportManager manager, ReconnectOptions reconnect, Func<MemoryTransport, CancellationToken, ValueTask<TransportConnection>>? open = null)
    {
        open ??= (transport, _) => _isDead ? throw Refused() : new ValueTask<TransportConnection>(transport.NewConnection());
        var transport = new MemoryTransport(
            MemoryTransport.Options with { Reconnect = reconnect, IdleTimeout = Timeout.InfiniteTimeSpan },
            manager.Services,
            (transport, _, cancellationToken) =>
            {
                Interlocked.Increment(ref _connects);
                return open(transport, cancellationToken);
            });
        manager.Register(transport);
        return transport;
    }

    /// <summary>Lets time pass from one timer to the next, with all that follows from each.</summary>
    private async Task PassAsync(TimeSpan duration)
    {
        var end = _time.GetUtcNow() + duration;
        while (_time.GetUtcNow() < end)
        {
            await Patience.UntilStill(() => Volatile.Read(ref _connects));
            var rest = end - _time.GetUtcNow();
            _time.Advance(_time.NextDue is { } next && next < rest ? next : rest);
        }

        await Patience.UntilStill(() => Volatile.Read(ref _connects));
    }

    /// <summary>Lets time pass for as long as it takes.</summary>
    private async Task PassUntilAsync(Func<bool> condition, TimeSpan? step = null)
    {
        for (var steps = 0; !condition(); steps++)
        {
            steps.ShouldBeLessThan(1000);
            await PassAsync(step ?? TimeSpan.FromMilliseconds(100));
        }
    }
}
