using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.EventRaising;

/// <summary>Handlers may be slow, may throw and may call back; nothing of that reaches the connection.</summary>
public class HandlerTests
{
    public static TheoryData<string> Calls { get; } = ["close", "dispose", "send", "pause", "stop", "metrics", "connect"];

    [Fact]
    public async Task A_handler_that_blocks_does_not_stop_reading_until_the_buffer_is_full()
    {
        await using var transport = new InMemoryTransport(new InMemoryTransportOptions { Buffer = new BufferOptions { Capacity = 10 } });
        using var gate = new ManualResetEventSlim();
        var handled = new List<string>();
        transport.MessageReceived += (_, message) =>
        {
            handled.Add(message.Text);
            gate.Wait();
        };
        await transport.ConnectAsync().Soon();
        var connection = transport.Connection;
        for (var i = 1; i <= 20; i++)
        {
            connection.Say($"{i}");
        }

        await Patience.Until(() => transport.GetMetrics().BufferSize >= 9, "the buffer is full behind the handler");
        (await Patience.UntilStill(() => connection.Reads)).ShouldBeInRange(11, 12);      // in the handler, waiting, in hand
        (await transport.SendAsync("beside it").Soon()).ShouldBe(SendOutcome.Acknowledged);
        gate.Set();
        connection.Finish();

        await transport.Completion.Soon();
        await Patience.Until(() => handled.Count == 20, "all are handled");
        handled.ShouldBe(EventStreams.Numbers(1, 20));
    }

    [Fact]
    public async Task A_handler_that_throws_is_logged_and_counted_and_hides_nothing_from_the_others()
    {
        var logs = new LogSink();
        await using var transport = new InMemoryTransport(services: new TransportServices { LoggerFactory = logs });
        transport.MessageReceived += static (_, _) => throw new InvalidOperationException("First handler.");
        transport.Connected += static (_, _) => throw new InvalidOperationException("First handler.");
        var journal = new EventJournal(transport);
        await transport.ConnectAsync().Soon();

        transport.Connection.Say("1", "2").Finish();
        await journal.UntilClosed();

        journal.Entries.ShouldBe(["connecting 0", "connected 0", "message 1", "message 2", "completed Completed", "closed Completed"]);
        transport.GetMetrics().HandlerErrors.ShouldBe(3);
        transport.GetMetrics().Errors.ShouldBe(0);
        logs.Lines.Count(static line => line.Exception is InvalidOperationException).ShouldBe(3);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_handler_may_call_any_member_and_block_on_it(string call)
    {
        var transport = new InMemoryTransport();
        var done = new TaskCompletionSource();
        transport.MessageReceived += (_, _) =>
        {
            try
            {
                Call(transport, call).GetAwaiter().GetResult();
                done.TrySetResult();
            }
            catch (Exception e)
            {
                done.TrySetException(e);
            }
        };
        await transport.ConnectAsync().Soon();

        transport.Connection.Say("1");

        await done.Task.Soon();
        await transport.DisposeAsync().Soon();
        transport.GetMetrics().HandlerErrors.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_handler_of_closed_may_call_any_member_and_block_on_it(string call)
    {
        var transport = new InMemoryTransport();
        var done = new TaskCompletionSource();
        transport.Closed += (_, _) =>
        {
            try
            {
                Call(transport, call).GetAwaiter().GetResult();
                done.TrySetResult();
            }
            catch (TransportException e) when (call is "send" or "stop" && e.Code == TransportErrorCode.NotConnected)
            {
                done.TrySetResult();
            }
            catch (Exception e)
            {
                done.TrySetException(e);
            }
        };
        await transport.ConnectAsync().Soon();

        await transport.CloseAsync().Soon();

        await done.Task.Soon();
        await transport.DisposeAsync().Soon();
    }

    [Fact]
    public async Task Handlers_come_and_go_while_messages_flow_and_one_that_stays_misses_none()
    {
        await using var transport = new InMemoryTransport();
        var stayed = new List<string>();
        transport.MessageReceived += (_, message) => stayed.Add(message.Text);
        await transport.ConnectAsync().Soon();
        var changing = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 5000; i++)
            {
                EventHandler<StreamMessage> visitor = static (_, _) => { };
                transport.MessageReceived += visitor;
                transport.MessageReceived -= visitor;
            }
        })).ToArray();

        for (var i = 1; i <= 3000; i++)
        {
            transport.Connection.Say($"{i}");
        }

        transport.Connection.Finish();
        await Task.WhenAll(changing).Soon();
        await transport.Completion.Soon();
        await Patience.Until(() => stayed.Count == 3000, "all are handled");

        stayed.ShouldBe(EventStreams.Numbers(1, 3000));
    }

    [Fact]
    public async Task The_only_handler_comes_and_goes_and_messages_wait_for_it()
    {
        await using var transport = new InMemoryTransport();
        var handled = new List<string>();
        EventHandler<StreamMessage> handler = (_, message) => handled.Add(message.Text);
        await transport.ConnectAsync().Soon();
        for (var i = 1; i <= 500; i++)
        {
            transport.MessageReceived += handler;
            transport.Connection.Say($"{i}");
            transport.MessageReceived -= handler;
        }

        transport.MessageReceived += handler;
        transport.Connection.Finish();
        await transport.Completion.Soon();
        await Patience.Until(() => handled.Count == 500, "all are handled");

        handled.ShouldBe(EventStreams.Numbers(1, 500));
    }

    [Fact]
    public async Task A_handler_that_never_returns_does_not_hold_up_dispose_for_more_than_two_seconds()
    {
        var time = new ManualTimeProvider();
        var transport = new InMemoryTransport(services: new TransportServices { Time = time });
        using var gate = new ManualResetEventSlim();
        var inside = new TaskCompletionSource();
        transport.Connected += (_, _) =>
        {
            inside.SetResult();
            gate.Wait();
        };
        await transport.ConnectAsync().Soon();
        await inside.Task.Soon();

        var disposing = transport.DisposeAsync().AsTask();
        await Patience.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(2));
                return disposing.IsCompleted;
            },
            "dispose goes on without the handler");

        transport.State.ShouldBe(TransportState.Closed);
        gate.Set();
    }

    private static Task Call(InMemoryTransport transport, string call)
    {
        switch (call)
        {
            case "close":
                return transport.CloseAsync();
            case "dispose":
                return transport.DisposeAsync().AsTask();
            case "send":
                return transport.SendAsync("x");
            case "stop":
                return StopAsync();
            case "connect":
                return transport.ConnectAsync();
            case "pause":
                transport.Pause();
                transport.Resume();
                return Task.CompletedTask;
            default:
                return Task.FromResult(transport.GetMetrics());
        }

        async Task StopAsync()
        {
            try
            {
                await transport.StopAsync();
            }
            catch (NotSupportedException)
            {
                // This protocol cannot; that it says so at once is enough here.
            }
        }
    }
}
