using Perennial.Testing;
using System.Collections.Concurrent;
using Perennial.Management;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Management;

/// <summary>Every event with the transport it is about, and nobody disturbed by it.</summary>
public class ManagerEventTests
{
    [Fact]
    public async Task Every_event_is_handed_on_in_order_and_with_its_transport()
    {
        await using var manager = new TransportManager(Managed.Options);
        var told = new ConcurrentDictionary<string, ConcurrentQueue<string>>();
        var events = manager.Events;
        events.Connecting += (_, e) => Note(e, $"connecting {e.Event.Attempt}");
        events.Connected += (_, e) =>
            Note(
                e,
                e.Event.ResumedFrom is null ? $"connected {e.Event.Attempt}" : $"connected {e.Event.Attempt} after {e.Event.ResumedFrom}");
        events.Reconnecting += (_, e) => Note(e, $"reconnecting {e.Event.Attempt}");
        events.Completed += (_, e) => Note(e, $"completed {e.Event.End.Reason}");
        events.ErrorOccurred += (_, e) =>
            Note(e, $"error {e.Event.Code} {(e.Event.IsRecoverable ? "recoverable" : "final")} {e.Event.State} {e.Event.Attempt}");
        events.Closed += (_, e) => Note(e, $"closed {e.Event.End.Reason}");
        events.Backpressure += (_, e) => Note(e, $"backpressure {e.Event.Mark}/{e.Event.Capacity}");
        events.Drained += (_, e) => Note(e, "drained");
        events.GapDetected += (_, e) => Note(e, $"gap {e.Event.Reason}");
        events.MessagesDropped += (_, e) => Note(e, $"dropped {e.Event.Count} of {e.Event.Total}");
        var options = new InMemoryTransportOptions
        {
            Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero },
            Buffer = new BufferOptions { Capacity = 2, FullMode = BufferFullMode.DropNewest },
        };
        var journals = new Dictionary<string, EventJournal>();
        for (var i = 0; i < 20; i++)
        {
            var transport = manager.CreateMemory(options);
            journals.Add(transport.Id, new EventJournal(transport, withMessages: false));
        }

        foreach (var transport in manager.Transports.Cast<InMemoryTransport>())
        {
            await transport.ConnectAsync().Soon();
            transport.Connection.Say("1", "2", "3");
            transport.Connection.Script(static batch =>
            {
                batch.Add("no id"u8);
                return ReadOutcome.More;
            });
            transport.Connection.Break();
            await Patience.Until(() => transport.Connections.Count == 2, "a second connection");
            transport.Connection.Finish();
            await transport.ReadAllAsync().TextsAsync().Soon();
        }

        var ids = journals.Keys.ToList();
        await manager.CloseAllAsync().Soon();

        told.Keys.ShouldBe(ids, ignoreOrder: true);
        foreach (var (id, journal) in journals)
        {
            told[id].ShouldBe(journal.Entries);
            journal.Entries.ShouldContain("closed Completed");
            journal.Entries.Select(static entry => entry.Split(' ')[0]).Distinct().Count().ShouldBe(10);
        }

        void Note<T>(ManagedEvent<T> e, string entry)
        {
            e.Id.ShouldBe(e.Transport.Id);
            told.GetOrAdd(e.Id, static _ => new ConcurrentQueue<string>()).Enqueue(entry);
        }
    }

    [Fact]
    public async Task Handing_on_events_does_not_consume_the_messages()
    {
        await using var manager = new TransportManager(Managed.Options);
        manager.Events.Connected += static (_, _) => { };
        var transport = manager.CreateMemory();
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1", "2").Finish();

        (await transport.ReadAllAsync().TextsAsync().Soon()).ShouldBe(["1", "2"]);
    }

    [Fact]
    public async Task Messages_are_handed_on_while_they_have_a_handler_but_for_those_being_read()
    {
        await using var manager = new TransportManager(Managed.Options);
        var (early, read, late) = (manager.CreateMemory(), manager.CreateMemory(), default(InMemoryTransport)!);
        await read.ConnectAsync().Soon();
        read.Connection.Say("of the reader");
        await using var reader = read.ReadAllAsync().GetAsyncEnumerator();
        (await reader.MoveNextAsync().Soon()).ShouldBeTrue();

        var received = new ConcurrentQueue<(string Id, string Text)>();
        EventHandler<ManagedEvent<StreamMessage>> handler = (_, e) => received.Enqueue((e.Id, e.Event.Text));
        manager.Events.MessageReceived += handler;
        late = manager.CreateMemory();
        foreach (var transport in new[] { early, late })
        {
            Should.Throw<InvalidOperationException>(() => transport.ReadAllAsync());
            await transport.ConnectAsync().Soon();
            transport.Connection.Say("handed on");
        }

        await Patience.Until(() => received.Count == 2, "both messages");
        received.ShouldBe([(early.Id, "handed on"), (late.Id, "handed on")], ignoreOrder: true);

        manager.Events.MessageReceived -= handler;
        late.Connection.Say("to a reader again").Finish();
        (await late.ReadAllAsync().TextsAsync().Soon()).ShouldBe(["to a reader again"]);
        received.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Handlers_that_throw_hide_nothing_from_others()
    {
        var logs = new LogSink();
        await using var manager = new TransportManager(Managed.Options, new TransportServices { LoggerFactory = logs });
        var told = new ConcurrentQueue<string>();
        manager.Events.Created += (_, _) => throw new InvalidOperationException("Broken by the test.");
        manager.Events.Created += (_, transport) => told.Enqueue($"created {transport.Id}");
        manager.Events.Connected += (_, _) => throw new InvalidOperationException("Broken by the test.");
        manager.Events.Connected += (_, e) => told.Enqueue($"connected {e.Id}");
        manager.Events.Removed += (_, e) => told.Enqueue($"removed {e.Id} {e.Reason}");
        manager.Events.AllClosed += (_, count) => told.Enqueue($"all {count} closed");

        var transport = manager.CreateMemory();
        await transport.ConnectAsync().Soon();
        await manager.CloseAllAsync().Soon();

        told.ShouldBe([$"created {transport.Id}", $"connected {transport.Id}", $"removed {transport.Id} Closed", "all 1 closed"]);
        logs.Lines.Count(static line => line.Text.Contains("A handler of the manager's")).ShouldBe(2);
    }

    [Fact]
    public async Task A_handler_may_close_its_transport_and_all()
    {
        await using var manager = new TransportManager(Managed.Options);
        var done = new TaskCompletionSource();
        manager.Events.Connected += async (_, e) =>
        {
            await manager.CloseAsync(e.Id);
            await manager.CloseAllAsync();
            done.SetResult();
        };
        var transport = manager.CreateMemory();
        manager.CreateMemory();
        _ = transport.ConnectAsync();

        await done.Task.Soon();

        manager.Transports.ShouldBeEmpty();
    }
}
