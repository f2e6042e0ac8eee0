using Perennial.Management;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Management;

/// <summary>A connected transport through which nothing flows is degraded, with the reason and since when.</summary>
public sealed class StandstillHealthTests : IAsyncDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly TransportManager _manager;

    public StandstillHealthTests() => _manager = new TransportManager(Managed.Options, new TransportServices { Time = _time });

    public ValueTask DisposeAsync() => _manager.DisposeAsync();

    [Fact]
    public async Task A_server_that_falls_silent_degrades_health_after_half_the_idle_limit()
    {
        var transport = await ConnectAsync(new InMemoryTransportOptions());
        var since = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromSeconds(149));
        Health(transport).ShouldBe((TransportHealthStatus.Healthy, "Connected.", null));

        _time.Advance(TimeSpan.FromSeconds(1));
        Health(transport).ShouldBe(
            (TransportHealthStatus.Degraded, "The server sends nothing, not even a heartbeat; the connection counts as lost after 00:05:00 of silence.", since));

        transport.Connection.Script(static batch =>
        {
            batch.BytesReceived = 5;
            return ReadOutcome.More;
        });
        await Patience.Until(() => transport.Connection.Reads == 2, "the heartbeat was read");
        Health(transport).ShouldBe((TransportHealthStatus.Healthy, "Connected.", null));
    }

    [Theory]
    [InlineData(40, 20, TransportHealthStatus.Degraded)]
    [InlineData(40, 19, TransportHealthStatus.Healthy)]
    [InlineData(-1, 100_000, TransportHealthStatus.Healthy)]
    public async Task The_limit_on_silence_is_half_the_idle_timeout_in_force(
        int idleSeconds, int silentSeconds, TransportHealthStatus expected)
    {
        var idle = idleSeconds < 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(idleSeconds);
        var transport = await ConnectAsync(new InMemoryTransportOptions { IdleTimeout = idle });

        _time.Advance(TimeSpan.FromSeconds(silentSeconds));

        Health(transport).Status.ShouldBe(expected);
    }

    [Fact]
    public async Task A_paused_transport_is_degraded_since_the_first_pause()
    {
        var transport = await ConnectAsync(new InMemoryTransportOptions());
        _time.Advance(TimeSpan.FromSeconds(1));
        var since = _time.GetUtcNow();
        transport.Pause();
        _time.Advance(TimeSpan.FromSeconds(1));
        transport.Pause();
        Health(transport).ShouldBe((TransportHealthStatus.Degraded, "Paused; no messages are delivered until Resume is called.", since));

        transport.Resume();
        Health(transport).ShouldBe((TransportHealthStatus.Healthy, "Connected.", null));
    }

    [Fact]
    public async Task A_full_buffer_names_whether_there_is_a_reader_and_since_when_it_is_full()
    {
        var transport = await ConnectAsync(new InMemoryTransportOptions { Buffer = new BufferOptions { Capacity = 10 } });
        _time.Advance(TimeSpan.FromSeconds(1));
        var since = _time.GetUtcNow();
        transport.Connection.Say([.. EventStreams.Numbers(1, 10)]);
        await Patience.Until(() => transport.GetMetrics().BufferSize == 10, "the buffer is full");
        _time.Advance(TimeSpan.FromMinutes(1));
        Health(transport).ShouldBe((TransportHealthStatus.Degraded, "The messages have no reader: 10 are waiting.", since));

        await using var reader = transport.ReadAllAsync().GetAsyncEnumerator();
        (await reader.MoveNextAsync()).ShouldBeTrue();
        Health(transport).ShouldBe((TransportHealthStatus.Degraded, "The reader is too slow: 9 messages are waiting.", since));
        for (var i = 0; i < 2; i++)
        {
            (await reader.MoveNextAsync()).ShouldBeTrue();
        }

        Health(transport).ShouldBe((TransportHealthStatus.Healthy, "Connected.", null));
    }

    [Fact]
    public async Task A_transport_that_reconnects_or_failed_says_since_when()
    {
        var transport = await ConnectAsync(new InMemoryTransportOptions { Reconnect = new ReconnectOptions { Jitter = false } });
        _time.Advance(TimeSpan.FromSeconds(7));
        var since = _time.GetUtcNow();
        transport.Connection.Break();
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(1)).Soon();
        Health(transport).ShouldBe((TransportHealthStatus.Degraded, "Reconnecting after ConnectionLost.", since));

        _time.Advance(TimeSpan.FromSeconds(1));
        await Patience.Until(() => transport is { State: TransportState.Connected, Connections.Count: 2 }, "connected again");
        since = _time.GetUtcNow();
        transport.Connection.Break(isTransient: false);
        await transport.Completion.Soon();
        _time.Advance(TimeSpan.FromSeconds(1));
        Health(transport).ShouldBe((TransportHealthStatus.Unhealthy, "Failed: ConnectionLost.", since));
    }

    private (TransportHealthStatus Status, string Reason, DateTimeOffset? Since) Health(Transport transport)
    {
        var health = _manager.GetHealth(transport.Id)!;
        return (health.Status, health.Reason, health.Since);
    }

    private async Task<InMemoryTransport> ConnectAsync(InMemoryTransportOptions options)
    {
        var transport = _manager.CreateMemory(options);
        await transport.ConnectAsync().Soon();
        await Patience.Until(() => transport.Connection.Reads == 1, "the transport reads");
        return transport;
    }
}
