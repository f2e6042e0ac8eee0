using Perennial.Engine;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Reconnecting;

/// <summary>While the machine has no network, no attempt is spent.</summary>
public class OfflineTests
{
    private static readonly ReconnectOptions OneAttempt = new() { MaxAttempts = 1, Jitter = false };

    private readonly ManualTimeProvider _time = new();
    private readonly SwitchedNetwork _network = new();

    [Fact]
    public async Task Attempts_without_a_network_are_not_spent_and_the_next_follows_when_it_is_back()
    {
        await using var transport = Transport("http://host.test/", () => _network.IsAvailable);
        var connecting = transport.ConnectAsync();
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        await _network.IsWatched.Soon();
        transport.Attempts.ShouldBe(1);
        transport.State.ShouldBe(TransportState.Reconnecting);

        _network.TurnOn();

        await connecting.Soon();
        transport.Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task After_ten_minutes_attempts_count()
    {
        await using var transport = Transport("http://host.test/", static () => false);
        var connecting = transport.ConnectAsync();
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        await _network.IsWatched.Soon();
        await _time.WaitForTimerAsync(OfflineWait.Limit - TimeSpan.FromSeconds(1));

        _time.Advance(OfflineWait.Limit);

        (await connecting.Soon().ShouldThrowAsync<TransportException>()).Code.ShouldBe(TransportErrorCode.AttemptsExhausted);
        transport.Attempts.ShouldBe(2);
    }

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://localhost/")]
    [InlineData("http://[::1]/")]
    public async Task Loopback_needs_no_network(string endpoint)
    {
        await using var transport = Transport(endpoint, static () => false);
        var connecting = transport.ConnectAsync();
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));

        (await connecting.Soon().ShouldThrowAsync<TransportException>()).Code.ShouldBe(TransportErrorCode.AttemptsExhausted);
        transport.Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task Closing_ends_the_wait_for_a_network()
    {
        await using var transport = Transport("http://host.test/", static () => false);
        var connecting = transport.ConnectAsync();
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        await _network.IsWatched.Soon();

        await transport.CloseAsync().Soon();

        await connecting.Soon().ShouldThrowAsync<TransportException>();
        transport.State.ShouldBe(TransportState.Closed);
    }

    private InMemoryTransport Transport(string endpoint, Func<bool> isReachable) => new(
        new InMemoryTransportOptions { Endpoint = new Uri(endpoint), Reconnect = OneAttempt },
        new TransportServices { Time = _time, Network = _network },
        (transport, _, _) => isReachable()
            ? new ValueTask<TransportConnection>(transport.NewConnection())
            : throw new TransportException(TransportErrorCode.ConnectFailed, "No route.", isTransient: true));

    private sealed class SwitchedNetwork : NetworkStatus
    {
        private readonly TaskCompletionSource _isWatched = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _isOn;
        private Action? _changed;

        public override bool IsAvailable => _isOn;

        public Task IsWatched => _isWatched.Task;

        public void TurnOn()
        {
            _isOn = true;
            _changed?.Invoke();
        }

        protected override IDisposable? Watch(Action changed)
        {
            _changed = changed;
            _isWatched.TrySetResult();
            return null;
        }
    }
}
