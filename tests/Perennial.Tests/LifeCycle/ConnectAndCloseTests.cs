using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.LifeCycle;

/// <summary>Every verb in every state.</summary>
public class ConnectAndCloseTests
{
    public enum Stage
    {
        Idle,
        Connecting,
        Connected,
        WaitingToReconnect,
        Failed,
        Closed,
    }

    public static TheoryData<Stage> Stages { get; } = new(Enum.GetValues<Stage>());

    [Theory]
    [MemberData(nameof(Stages))]
    public async Task Close_leaves_nothing_running(Stage stage)
    {
        var time = new ManualTimeProvider();
        await using var transport = await InStage(stage, time);

        await transport.CloseAsync().Soon();
        await transport.CloseAsync().Soon();

        transport.State.ShouldBe(stage == Stage.Failed ? TransportState.Failed : TransportState.Closed);
        (await transport.Completion.Soon()).Reason.ShouldBe(stage == Stage.Failed ? StreamEndReason.Failed : StreamEndReason.Closed);
        await Patience.Until(() => time.ActiveTimers == 0, "no timer is left");
        transport.Connections.ShouldAllBe(static connection => connection.Disposals == 1);
    }

    [Theory]
    [MemberData(nameof(Stages))]
    public async Task Dispose_leaves_nothing_running_and_nothing_works_after_it(Stage stage)
    {
        var time = new ManualTimeProvider();
        EventJournal? journal = null;
        var transport = await InStage(stage, time, out _, made => journal = new EventJournal(made, withMessages: false));

        await transport.DisposeAsync().Soon();
        await transport.DisposeAsync().Soon();

        transport.State.ShouldBe(TransportState.Closed);
        await Patience.Until(() => time.ActiveTimers == 0, "no timer is left");
        transport.IsCoreDisposed.ShouldBeTrue();
        transport.Connections.ShouldAllBe(static connection => connection.Disposals == 1);
        journal!.Entries.Count(static entry => entry.StartsWith("closed", StringComparison.Ordinal)).ShouldBe(1);
        await transport.ConnectAsync().Soon().ShouldThrowAsync<ObjectDisposedException>();
        (await Should.ThrowAsync<TransportException>(() => transport.SendAsync("late").Soon())).Delivery.ShouldBe(DeliveryStatus.NotSent);
        (await Should.ThrowAsync<TransportException>(() => transport.StopAsync().Soon())).Code.ShouldBe(TransportErrorCode.NotConnected);
        await transport.CloseAsync().Soon();
        transport.Pause();
        transport.Resume();
        transport.GetMetrics().State.ShouldBe(TransportState.Closed);
    }

    [Theory]
    [MemberData(nameof(Stages))]
    public async Task Connect_connects_joins_or_starts_again(Stage stage)
    {
        var time = new ManualTimeProvider();
        await using var transport = await InStage(stage, time, out var release);
        var before = transport.Attempts;

        var connecting = transport.ConnectAsync();
        release.TrySetResult();
        if (stage == Stage.WaitingToReconnect)
        {
            connecting.IsCompleted.ShouldBeFalse();
            time.AdvanceToNextTimer();
        }

        await connecting.Soon();
        await Patience.Until(() => transport.IsConnected, "connected");

        transport.Attempts.ShouldBe(stage is Stage.Connected or Stage.Connecting ? before : before + 1);
        transport.Completion.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Cancelling_the_call_that_began_connecting_closes_the_transport()
    {
        await using var transport = new InMemoryTransport(open: NeverOpens);
        using var cancel = new CancellationTokenSource();
        var connecting = transport.ConnectAsync(cancel.Token);
        var joined = transport.ConnectAsync();

        await cancel.CancelAsync();

        await connecting.Soon().ShouldThrowAsync<OperationCanceledException>();
        (await joined.Soon().ShouldThrowAsync<TransportException>()).Code.ShouldBe(TransportErrorCode.NotConnected);
        transport.State.ShouldBe(TransportState.Closed);
    }

    [Fact]
    public async Task Cancelling_a_call_that_joined_ends_only_its_wait()
    {
        await using var transport = new InMemoryTransport(open: NeverOpens);
        var connecting = transport.ConnectAsync();
        using var cancel = new CancellationTokenSource();
        var joined = transport.ConnectAsync(cancel.Token);

        await cancel.CancelAsync();

        await joined.Soon().ShouldThrowAsync<OperationCanceledException>();
        connecting.IsCompleted.ShouldBeFalse();
        transport.State.ShouldBe(TransportState.Connecting);
        await transport.CloseAsync().Soon();
        await connecting.Soon().ShouldThrowAsync<TransportException>();
    }

    [Fact]
    public async Task Dispose_ends_a_read_a_send_and_a_connect_that_wait()
    {
        var transport = new InMemoryTransport(open: NeverOpens);
        var connecting = transport.ConnectAsync();
        var reading = transport.ReadAllAsync().TextsAsync();
        var sending = transport.SendAsync("a");
        var stopping = transport.StopAsync();

        await transport.DisposeAsync().Soon();

        (await connecting.Soon().ShouldThrowAsync<TransportException>()).Code.ShouldBe(TransportErrorCode.NotConnected);
        (await reading.Soon()).ShouldBeEmpty();
        (await sending.Soon().ShouldThrowAsync<TransportException>()).Delivery.ShouldBe(DeliveryStatus.NotSent);
        (await stopping.Soon().ShouldThrowAsync<TransportException>()).Code.ShouldBe(TransportErrorCode.NotConnected);
    }

    [Fact]
    public async Task Dispose_ends_a_send_that_is_on_its_way_and_says_that_its_fate_is_unknown()
    {
        var transport = new InMemoryTransport();
        await transport.ConnectAsync().Soon();
        var begun = new TaskCompletionSource();
        transport.Connection.OnSend = async (_, cancellationToken) =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return SendOutcome.Sent;
        };
        var sending = transport.SendAsync("a");
        var queued = transport.SendAsync("b");
        await begun.Task.Soon();

        await transport.DisposeAsync().Soon();

        (await sending.Soon().ShouldThrowAsync<TransportException>()).Delivery.ShouldBe(DeliveryStatus.Unknown);
        (await queued.Soon().ShouldThrowAsync<TransportException>()).Delivery.ShouldBe(DeliveryStatus.NotSent);
    }

    [Fact]
    public async Task A_send_that_waits_behind_others_can_be_taken_back_at_once()
    {
        await using var transport = new InMemoryTransport(open: NeverOpens);
        var first = transport.SendAsync("a");
        using var cancel = new CancellationTokenSource();
        var second = transport.SendAsync("b", cancel.Token);

        await cancel.CancelAsync();

        await second.Soon().ShouldThrowAsync<OperationCanceledException>();
        first.IsCompleted.ShouldBeFalse();
        await transport.DisposeAsync().Soon();
        await first.Soon().ShouldThrowAsync<TransportException>();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Close_does_not_wait_for_code_that_ignores_its_token(bool isConnectedLate)
    {
        var begun = new TaskCompletionSource();
        var late = new TaskCompletionSource();
        await using var transport = new InMemoryTransport(open: async (transport, _, _) =>
        {
            begun.SetResult();
            await late.Task;
            return isConnectedLate ? transport.NewConnection() : throw new InvalidOperationException("Late, and broken.");
        });
        var connecting = transport.ConnectAsync();
        await begun.Task.Soon();

        await transport.CloseAsync().Soon();

        await connecting.Soon().ShouldThrowAsync<TransportException>();
        transport.State.ShouldBe(TransportState.Closed);
        late.SetResult();
        if (isConnectedLate)
        {
            await Patience.Until(() => transport.Connections is [{ Disposals: 1 }], "the connection nobody wants any more is closed");
        }
    }

    [Fact]
    public async Task The_connect_timeout_holds_for_code_that_ignores_its_token()
    {
        var time = new ManualTimeProvider();
        await using var transport = new InMemoryTransport(
            new InMemoryTransportOptions { Reconnect = new ReconnectOptions { Enabled = false } },
            new TransportServices { Time = time },
            static async (transport, _, _) =>
            {
                await new TaskCompletionSource().Task;
                return transport.NewConnection();
            });
        var connecting = transport.ConnectAsync();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(30)).Soon();

        time.Advance(TimeSpan.FromSeconds(30));

        (await connecting.Soon().ShouldThrowAsync<TransportException>()).Code.ShouldBe(TransportErrorCode.ConnectTimeout);
    }

    [Fact]
    public async Task A_connection_that_does_not_close_is_left_behind_after_two_seconds()
    {
        var time = new ManualTimeProvider();
        var transport = new InMemoryTransport(services: new TransportServices { Time = time });
        await transport.ConnectAsync().Soon();
        transport.Connection.OnDispose = static () => new ValueTask(new TaskCompletionSource().Task);
        var closing = transport.CloseAsync();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(2)).Soon();
        closing.IsCompleted.ShouldBeFalse();

        time.Advance(TimeSpan.FromSeconds(2));

        await closing.Soon();
        transport.State.ShouldBe(TransportState.Closed);
    }

    private static async ValueTask<TransportConnection> NeverOpens(
        InMemoryTransport transport, ConnectContext context, CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        return transport.NewConnection();
    }

    private static Task<InMemoryTransport> InStage(Stage stage, ManualTimeProvider time) => InStage(stage, time, out _);

    private static Task<InMemoryTransport> InStage(
        Stage stage, ManualTimeProvider time, out TaskCompletionSource release, Action<InMemoryTransport>? prepare = null)
    {
        var gate = release = new TaskCompletionSource();
        return Reach();

        async Task<InMemoryTransport> Reach()
        {
            var transport = new InMemoryTransport(
                new InMemoryTransportOptions { Reconnect = new ReconnectOptions { Jitter = false } },
                new TransportServices { Time = time },
                async (transport, context, cancellationToken) =>
                {
                    if (stage == Stage.Connecting)
                    {
                        await gate.Task.WaitAsync(cancellationToken);
                    }

                    return transport.NewConnection();
                });
            prepare?.Invoke(transport);
            switch (stage)
            {
                case Stage.Idle:
                    break;
                case Stage.Connecting:
                    _ = transport.ConnectAsync().ContinueWith(static task => _ = task.Exception, TaskScheduler.Default);
                    await Patience.Until(() => transport.Attempts == 1, "the attempt begins");
                    break;
                case Stage.Connected:
                    await transport.ConnectAsync().Soon();
                    break;
                case Stage.WaitingToReconnect:
                    await transport.ConnectAsync().Soon();
                    transport.Connection.Break();
                    await time.WaitForTimerAsync(TimeSpan.FromSeconds(1)).Soon();
                    transport.State.ShouldBe(TransportState.Reconnecting);
                    break;
                case Stage.Failed:
                    await transport.ConnectAsync().Soon();
                    transport.Connection.Break(isTransient: false);
                    await transport.Completion.Soon();
                    break;
                case Stage.Closed:
                    await transport.ConnectAsync().Soon();
                    await transport.CloseAsync().Soon();
                    break;
            }

            return transport;
        }
    }
}
