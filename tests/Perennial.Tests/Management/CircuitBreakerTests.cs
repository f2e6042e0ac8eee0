using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Perennial.Management;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Management;

/// <summary>A dead host is left alone by all, and one who asks again asks for all.</summary>
public class CircuitBreakerTests
{
    private static readonly ReconnectOptions ForEver =
        new() { InitialDelay = TimeSpan.Zero, MaxDelay = TimeSpan.FromSeconds(1), MaxAttempts = ReconnectOptions.Unlimited };

    private static readonly ReconnectOptions EachSecond = ForEver with { InitialDelay = TimeSpan.FromSeconds(1), Jitter = false };

    private readonly ManualTimeProvider _time = new();
    private readonly ConcurrentQueue<Transport> _transports = new();
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
        transports.ShouldAllBe(
            static transport => transport.State == TransportState.Reconnecting || transport.State == TransportState.Connecting);
        manager.Services.Breakers!.Broken.Single().Key.ShouldBe("http://memory.test:80");
        manager.CheckHealth().BrokenOrigins.Count.ShouldBe(1);
        manager.CheckHealth().Transports.ShouldAllBe(
            static health => health.Breaker != BreakerState.Closed && health.Status == TransportHealthStatus.Unhealthy);
        var before = Volatile.Read(ref _connects);
        await PassAsync(TimeSpan.FromMinutes(1));
        (Volatile.Read(ref _connects) - before).ShouldBeLessThanOrEqualTo(2);

        _isDead = false;
        await PassUntilAsync(() => Task.WhenAll(connecting).IsCompletedSuccessfully, TimeSpan.FromMinutes(1));

        manager.Services.Breakers.Broken.ShouldBeEmpty();
        manager.CheckHealth().Status.ShouldBe(TransportHealthStatus.Healthy);
    }

    [Fact]
    public async Task A_transport_with_few_attempts_gives_up_on_a_dead_host_in_bounded_time()
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
        ends.Count(
            static end => ((TransportException)end.Error!.InnerException!).Code == TransportErrorCode.CircuitOpen).ShouldBeGreaterThan(10);
        ends.ShouldAllBe(static end => end.Error!.ToString().Contains("Refused by the test."));
    }

    [Fact]
    public async Task A_failed_probe_spends_no_attempt_of_the_transports_that_wait()
    {
        await using var manager = NewManager();
        _ = Register(manager, ForEver).ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        await PassUntilAsync(() => Broken(manager) == BreakerState.Open);
        var waiting = Register(manager, ForEver);
        var connecting = waiting.ConnectAsync();
        var connects = Volatile.Read(ref _connects);

        await PassUntilAsync(() => Volatile.Read(ref _connects) >= connects + 3, TimeSpan.FromSeconds(5));
        waiting.GetMetrics().ConsecutiveErrors.ShouldBe(waiting.Attempts);      // it may have probed, too
        _isDead = false;
        await PassUntilAsync(() => connecting.IsCompleted, TimeSpan.FromSeconds(10));

        await connecting.Soon();
    }

    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.BadGateway)]
    [InlineData(HttpStatusCode.TooManyRequests)]
    public async Task A_path_that_answers_with_an_error_keeps_no_other_path_waiting(HttpStatusCode status)
    {
        await using var manager = NewManager();
        var bad = Register(
            manager,
            EachSecond,
            (_, _) =>
                throw new TransportException(
                    TransportErrorCode.HttpStatus, "Refused by the test.", isTransient: true) { HttpStatus = status });
        _ = bad.ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        await PassUntilAsync(() => bad.Attempts >= 8, TimeSpan.FromSeconds(1));
        manager.Services.Breakers!.Broken.ShouldBeEmpty();

        var good = Register(manager, EachSecond, static (transport, _) => new ValueTask<TransportConnection>(transport.NewConnection()));
        await good.ConnectAsync().Soon();       // no time passes
    }

    [Theory]
    [InlineData(BreakerState.Open)]
    [InlineData(BreakerState.Probing)]
    public async Task A_path_that_hangs_keeps_no_other_path_waiting(BreakerState state)
    {
        await using var server = ScriptedServer.Start(
            static exchange =>
                exchange.Request.Target is "/hangs"
                    ? exchange.WaitForClientCloseAsync(exchange.Stopping)
                    : exchange.StreamAndWaitAsync(1, 1));
        await using var manager = NewManager();
        var bad = manager.Create(
            new SseTransportOptions { Endpoint = new Uri(server.Address, "/hangs"), ConnectTimeout = TimeSpan.FromSeconds(2), Reconnect = EachSecond });
        _ = bad.ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        await _time.WaitForTimersAsync().Soon();
        for (var steps = 0; manager.Services.Breakers!.StateOf(server.Address) != state; steps++)
        {
            steps.ShouldBeLessThan(100);
            _time.Advance(_time.NextDue ?? TimeSpan.Zero);
            await _time.WaitForTimersAsync().Soon();
        }

        // no time passes
        await manager.Create(new SseTransportOptions { Endpoint = new Uri(server.Address, "/answers") }).ConnectAsync().Soon();

        manager.Services.Breakers.Broken.ShouldBeEmpty();
    }

    [Fact]
    public async Task Beside_a_dead_host_paths_take_turns()
    {
        await using var manager = NewManager();
        foreach (var i in Enumerable.Range(0, 100))
        {
            _ = Register(manager, ForEver, path: $"/{i}").ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        }

        await PassUntilAsync(() => Broken(manager) == BreakerState.Open);
        await UntilAllWaitAsync();
        var before = Volatile.Read(ref _connects);

        await PassAsync(TimeSpan.FromMinutes(10));

        // A probe after 5, 10, 20, 40 and every 60 s, and one try in each wait and beside each probe.
        (Volatile.Read(ref _connects) - before).ShouldBeLessThanOrEqualTo(3 * 13);
    }

    [Fact]
    public async Task A_callback_that_fails_before_the_request_does_not_count_against_the_origin()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAndWaitAsync(1, 1));
        await using var manager = NewManager();
        var tries = 0;
        var bad = manager.Create(new SseTransportOptions
        {
            Endpoint = server.Address,
            Reconnect = EachSecond,
            ConfigureRequest = (_, _) =>
            {
                Interlocked.Increment(ref tries);
                throw new HttpRequestException("The token endpoint is down, says the test.");
            },
        });
        _transports.Enqueue(bad);
        _ = bad.ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        await PassUntilAsync(() => Volatile.Read(ref tries) >= 8, TimeSpan.FromSeconds(1));

        await manager.Create(new SseTransportOptions { Endpoint = server.Address }).ConnectAsync().Soon();
    }

    [Fact]
    public async Task A_connection_that_stands_keeps_the_breaker_closed()
    {
        await using var manager = NewManager();
        var standing =
            Register(manager, EachSecond, static (transport, _) => new ValueTask<TransportConnection>(transport.NewConnection()));
        await standing.ConnectAsync().Soon();
        var bad = Register(manager, EachSecond);
        _ = bad.ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        await PassUntilAsync(() => bad.Attempts >= 8, TimeSpan.FromSeconds(1));
        Broken(manager).ShouldBe(BreakerState.Closed);

        await standing.CloseAsync().Soon();

        await PassUntilAsync(() => Broken(manager) == BreakerState.Open);
    }

    [Fact]
    public async Task An_answer_to_a_try_from_before_the_breaker_opened_closes_it()
    {
        await using var manager = NewManager();
        var answer = new TaskCompletionSource<TransportConnection>();
        var slow = Register(manager, ForEver, (_, _) => new ValueTask<TransportConnection>(answer.Task));
        var connecting = slow.ConnectAsync();
        var bad = Register(manager, ForEver);
        _ = bad.ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        await PassUntilAsync(() => Broken(manager) == BreakerState.Open);

        answer.SetResult(slow.NewConnection());
        await connecting.Soon();

        Broken(manager).ShouldBe(BreakerState.Closed);
    }

    [Fact]
    public async Task An_origin_is_counted_as_broken_until_the_manager_is_disposed()
    {
        using var telemetry = new Diagnostics.Telemetry();
        var manager = NewManager();
        var bad = Register(manager, ForEver);
        _ = bad.ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        await PassUntilAsync(() => Broken(manager) == BreakerState.Open && BrokenOrigins(telemetry) == 1);

        await manager.DisposeAsync().Soon();

        BrokenOrigins(telemetry).ShouldBe(0);
    }

    [Fact]
    public async Task Closing_ends_the_wait_at_once_and_a_probe_that_is_cancelled_is_made_by_another()
    {
        await using var manager = NewManager();
        var mayHang = false;
        var probers = new ConcurrentQueue<InMemoryTransport>();
        var transports = Enumerable.Range(0, 20).Select(_ => Register(manager, ForEver, async (transport, cancellationToken) =>
        {
            // An attempt that the breaker admitted before it opened may come as late as this. It is no probe.
            if (!mayHang || Broken(manager) != BreakerState.Probing)
            {
                throw Refused();
            }

            probers.Enqueue(transport);
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken);
            throw new UnreachableException();
        }, connectTimeout: TimeSpan.FromHours(1))).ToList();      // a probe ends because it is cancelled, and for no other reason
        foreach (var transport in transports)
        {
            _ = transport.ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        }

        await PassAsync(TimeSpan.FromSeconds(3));
        mayHang = true;
        await PassUntilAsync(() => probers.Count == 1);
        manager.Services.Breakers!.StateOf(InMemoryTransportOptions.DefaultEndpoint).ShouldBe(BreakerState.Probing);
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
            var refused = Register(
                manager,
                ForEver,
                static (_, _) => throw new TransportException(TransportErrorCode.HttpStatus, "Unauthorized, says the test."));
            await refused.ConnectAsync().Soon().ShouldThrowAsync<TransportException>();
        }

        manager.Services.Breakers!.Broken.ShouldBeEmpty();
    }

    [Fact]
    public async Task Origins_are_told_apart_and_a_transport_of_its_own_can_have_a_breaker_too()
    {
        var services =
            new TransportServices { Time = _time, Breakers = new OriginBreakers(new CircuitBreakerOptions { Failures = 2 }, _time) };
        var dead =
            new InMemoryTransport(new InMemoryTransportOptions { Reconnect = ForEver }, services, static (_, _, _) => throw Refused());
        _ = dead.ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        await Patience.Until(() => services.Breakers.Broken.Count == 1, "the breaker opens");
        dead.Attempts.ShouldBe(2);

        var other = new InMemoryTransport(new InMemoryTransportOptions { Endpoint = new Uri("http://memory.test:81/") }, services);
        await other.ConnectAsync().Soon();

        services.Breakers.StateOf(new Uri("ws://MEMORY.test/elsewhere")).ShouldBe(BreakerState.Open);
        services.Breakers.StateOf(new Uri("https://memory.test/")).ShouldBe(BreakerState.Closed);
        await dead.DisposeAsync().Soon();
        await other.DisposeAsync().Soon();
        await Patience.Until(() => _time.ActiveTimers == 0, "no timer is left");
    }

    private static TransportException Refused() => new(TransportErrorCode.ConnectFailed, "Refused by the test.", isTransient: true);

    private static double BrokenOrigins(Diagnostics.Telemetry telemetry) => telemetry.Collect()
        .Where(static measured =>
            string.Equals(measured.Name, "perennial.client.origins.broken", StringComparison.Ordinal)
                && measured.Tags.Contains("memory.test")).Sum(static measured => measured.Sum);

    private static BreakerState Broken(TransportManager manager) =>
        manager.Services.Breakers!.StateOf(InMemoryTransportOptions.DefaultEndpoint);

    private TransportManager NewManager() =>
        new(Managed.Options with { MaxIdleTime = Timeout.InfiniteTimeSpan }, new TransportServices { Time = _time });

    private InMemoryTransport Register(
        TransportManager manager,
        ReconnectOptions reconnect,
        Func<InMemoryTransport, CancellationToken, ValueTask<TransportConnection>>? open = null,
        string path = "/",
        TimeSpan? connectTimeout = null)
    {
        open ??= (transport, _) => _isDead ? throw Refused() : new ValueTask<TransportConnection>(transport.NewConnection());
        var transport = new InMemoryTransport(
            new InMemoryTransportOptions
            {
                Endpoint = new Uri(InMemoryTransportOptions.DefaultEndpoint, path),
                Reconnect = reconnect,
                ConnectTimeout = connectTimeout ?? TimeSpan.FromSeconds(30),
                IdleTimeout = Timeout.InfiniteTimeSpan,
            },
            manager.Services,
            (transport, _, cancellationToken) =>
            {
                Interlocked.Increment(ref _connects);
                return open(transport, cancellationToken);
            });
        manager.Register(transport);
        _transports.Enqueue(transport);
        return transport;
    }

    /// <summary>
    /// A transport that is about to connect waits with one timer, for its next try or for the breaker, and tries with another.
    /// </summary>
    private Task UntilAllWaitAsync() => Patience.Until(() => _time.ActiveTimers >= CountDisconnected(), "every transport waits");

    private int CountDisconnected() =>
        _transports.Count(static transport => transport.State is TransportState.Connecting or TransportState.Reconnecting);

    /// <summary>Lets time pass from one timer to the next, with all that follows from each.</summary>
    private async Task PassAsync(TimeSpan duration)
    {
        var end = _time.GetUtcNow() + duration;
        while (_time.GetUtcNow() < end)
        {
            await UntilAllWaitAsync();
            var rest = end - _time.GetUtcNow();
            _time.Advance(_time.NextDue is { } next && next < rest ? next : rest);
        }

        await UntilAllWaitAsync();
    }

    /// <summary>Lets time pass for as long as it takes. Where no transport waits for time, nothing depends on it.</summary>
    private async Task PassUntilAsync(Func<bool> condition, TimeSpan? step = null)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            TimeProvider.System.GetElapsedTime(since).ShouldBeLessThan(TimeSpan.FromMilliseconds(Patience.Hang));
            await UntilAllWaitAsync();
            if (CountDisconnected() == 0)
            {
                await Patience.Until(condition, "what follows once no transport waits");
                return;
            }

            await Patience.Breathe();
            if (condition())
            {
                return;
            }

            await PassAsync(step ?? TimeSpan.FromMilliseconds(100));
        }
    }
}
