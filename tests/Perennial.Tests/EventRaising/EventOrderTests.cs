using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.EventRaising;

public class EventOrderTests
{
    [Fact]
    public async Task Over_a_cut_events_and_messages_come_in_the_order_in_which_things_happened()
    {
        await using var server = ScriptedServer.Start(
            static async exchange =>
            {
                await exchange.StartEventStreamAsync();
                await exchange.WriteChunkAsync(EventStreams.Events(1, 2));
                await exchange.ResetAsync();
            },
            static exchange => exchange.StreamAsync(3, 4));
        await using var transport = server.Transport();
        var journal = new EventJournal(transport);

        await transport.ConnectAsync().Soon();
        await journal.UntilClosed();

        journal.Entries.ShouldBe(
        [
            "connecting 0", "connected 0", "message 1", "message 2", "error ConnectionLost recoverable Connected 1", "reconnecting 1",
            "connecting 1", "connected 1 after 2", "message 3", "message 4", "completed Completed", "closed Completed",
        ]);
        journal.HasOverlapped.ShouldBeFalse();
    }

    [Fact]
    public async Task A_failure_is_an_error_that_is_not_recoverable_and_then_closed()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.RespondAsync(403));
        await using var transport = server.Transport();
        var journal = new EventJournal(transport);

        await transport.ConnectAsync().Soon().ShouldThrowAsync<TransportException>();
        await journal.UntilClosed();

        journal.Entries.ShouldBe(["connecting 0", "error HttpStatus final Connecting 1", "closed Failed"]);
    }

    [Fact]
    public async Task Closed_comes_once_for_each_start_and_last()
    {
        await using var transport = new InMemoryTransport();
        var journal = new EventJournal(transport);
        for (var round = 0; round < 3; round++)
        {
            await transport.ConnectAsync().Soon();
            await transport.CloseAsync().Soon();
            await transport.CloseAsync().Soon();
        }

        await transport.DisposeAsync().Soon();

        journal.Entries.ShouldBe(
            Enumerable.Repeat(new[] { "connecting 0", "connected 0", "closed Closed" }, 3).SelectMany(static session => session));
    }

    [Fact]
    public async Task Backpressure_and_its_end_are_announced_in_turn()
    {
        await using var transport =
            new InMemoryTransport(new InMemoryTransportOptions { Buffer = new BufferOptions { Capacity = 4, HighWaterMark = 0.5 } });
        var journal = new EventJournal(transport, withMessages: false);
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1", "2", "3");
        await journal.Until("backpressure 2/4");

        await transport.ReadAllAsync().TextsAsync(2).Soon();
        await journal.Until("drained");
        transport.Connection.Say("4", "5").Finish();
        await transport.Completion.Soon();
        await transport.ReadAllAsync().TextsAsync().Soon();
        await transport.DisposeAsync().Soon();

        journal.Entries.Where(static entry => entry is "drained" || entry.StartsWith("backpressure", StringComparison.Ordinal))
            .ShouldBe(["backpressure 2/4", "drained", "backpressure 2/4", "drained"]);
    }

    [Fact]
    public async Task A_handler_of_closed_can_connect_again()
    {
        await using var transport = new InMemoryTransport();
        var again = new TaskCompletionSource<Task>();
        transport.Closed += (_, _) => again.TrySetResult(transport.ConnectAsync());
        await transport.ConnectAsync().Soon();

        transport.Connection.Finish();
        await (await again.Task.Soon()).Soon();

        transport.IsConnected.ShouldBeTrue();
        transport.Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task Beyond_1024_waiting_events_the_oldest_are_skipped_and_reported_once()
    {
        var logs = new LogSink();
        await using var transport = new InMemoryTransport(services: new TransportServices { LoggerFactory = logs });
        using var gate = new ManualResetEventSlim();
        var inside = new TaskCompletionSource();
        transport.Connecting += Block;
        var journal = new EventJournal(transport, withMessages: false);
        var connecting = transport.ConnectAsync();
        await inside.Task.Soon();
        await connecting.Soon();

        for (var i = 0; i < 400; i++)
        {
            await transport.CloseAsync().Soon();
            await transport.ConnectAsync().Soon();
        }

        await transport.CloseAsync().Soon();
        gate.Set();
        await transport.DisposeAsync().Soon();

        // 3 events a session, 401 sessions, one of them in the handler's hands.
        journal.Entries.Count.ShouldBe(1 + 1024);
        journal.Entries[^1].ShouldBe("closed Closed");
        logs.Lines.Single(
            static line => line.Text.Contains("skipped", StringComparison.Ordinal)).Text.ShouldContain($"{(3 * 401) - 1 - 1024} events");

        void Block(object? sender, ConnectingEvent e)
        {
            transport.Connecting -= Block;
            inside.SetResult();
            gate.Wait();
        }
    }
}
