using Perennial.Testing;
using System.Diagnostics;

namespace Perennial.Tests.LifeCycle;

/// <summary>A transport outlives the call that happened to start it, and keeps nothing of its surroundings.</summary>
public class AmbientContextTests
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Fact]
    public async Task The_first_callers_context_does_not_reach_later_attempts()
    {
        var seen = new TaskCompletionSource<(string? Ambient, Activity? Activity)>();
        await using var transport = new InMemoryTransport(open: (memory, _, _) =>
        {
            seen.TrySetResult((Ambient.Value, Activity.Current?.Parent));
            return new ValueTask<TransportConnection>(memory.NewConnection());
        });
        Ambient.Value = "first request";

        await transport.ConnectAsync(TestContext.Current.CancellationToken);

        (await seen.Task).ShouldBe((null, null));
    }

    [Fact]
    public async Task A_handler_that_blocks_on_disposal_is_not_waited_for()
    {
        var clock = new Perennial.Testing.ManualTimeProvider();     // nobody advances it: a wait for the handler would never end
        var transport = new InMemoryTransport(services: new TransportServices { Time = clock });
        var disposed = new TaskCompletionSource();
        transport.Connected += (_, _) =>
        {
            transport.DisposeAsync().AsTask().GetAwaiter().GetResult();
            disposed.SetResult();
        };

        // disposed before, or after, it is told
        await Record.ExceptionAsync(() => transport.ConnectAsync(TestContext.Current.CancellationToken));

        await disposed.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_callback_that_throws_on_cancellation_does_not_stop_a_close()
    {
        await using var transport = new InMemoryTransport(open: static (memory, _, token) =>
        {
            token.Register(static () => throw new InvalidOperationException("on purpose"));
            return new ValueTask<TransportConnection>(memory.NewConnection());
        });
        await transport.ConnectAsync(TestContext.Current.CancellationToken);

        await transport.CloseAsync(TestContext.Current.CancellationToken);

        transport.State.ShouldBe(TransportState.Closed);
    }
}
