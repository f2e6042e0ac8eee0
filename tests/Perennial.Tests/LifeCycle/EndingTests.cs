using Perennial.Http;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.LifeCycle;

/// <summary>Five endings, five values: of the completion, of the state, of the sequence and of the events.</summary>
public class EndingTests
{
    [Fact]
    public async Task A_stream_that_ends_in_good_order_is_completed()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAsync(1, 3));
        await using var transport = server.Transport();
        var journal = new EventJournal(transport, withMessages: false);

        (await transport.ReadAllAsync().TextsAsync().Soon()).ShouldBe(["1", "2", "3"]);

        await ShouldHaveEnded(transport, journal, StreamEndReason.Completed, TransportState.Closed);
        journal.Entries.ShouldContain("completed Completed");
    }

    [Fact]
    public async Task A_stream_that_was_stopped_says_so()
    {
        await using var server = ScriptedServer.Start(static async exchange =>
        {
            await exchange.StartEventStreamAsync(("Perennial-Protocol", "1"));
            await exchange.WriteChunkAsync("data: a\n\nevent: perennial.stopped\ndata: {}\n\n");
            await exchange.WaitForClientCloseAsync(exchange.Stopping);
        });
        await using var transport = server.Transport();
        var journal = new EventJournal(transport, withMessages: false);

        (await transport.ReadAllAsync().TextsAsync().Soon()).ShouldBe(["a"]);

        await ShouldHaveEnded(transport, journal, StreamEndReason.Stopped, TransportState.Closed);
        journal.Entries.ShouldContain("completed Stopped");
    }

    [Fact]
    public async Task A_stream_that_the_caller_left_is_closed_and_gives_what_had_arrived()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAndWaitAsync(1, 3));
        await using var transport = server.Transport();
        var journal = new EventJournal(transport, withMessages: false);
        await transport.ConnectAsync().Soon();
        await Patience.Until(() => transport.GetMetrics().BufferSize == 3, "three messages wait");

        await transport.CloseAsync().Soon();

        (await transport.ReadAllAsync().TextsAsync().Soon()).ShouldBe(["1", "2", "3"]);
        await ShouldHaveEnded(transport, journal, StreamEndReason.Closed, TransportState.Closed);
        journal.Entries.ShouldNotContain(static entry => entry.StartsWith("completed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_post_that_breaks_off_is_interrupted_and_gives_what_had_arrived_before_it_throws()
    {
        await using var server = ScriptedServer.Start(static async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync("data: a\n\n");
            await exchange.ResetAsync();
        });
        await using var transport = server.Transport(static options => options with { Body = RequestBody.Text("prompt") });
        var journal = new EventJournal(transport, withMessages: false);
        await transport.ConnectAsync().Soon();
        await transport.Completion.Soon();

        var texts = new List<string>();
        var error = await ReadInto(texts, transport).ShouldThrowAsync<TransportException>();

        texts.ShouldBe(["a"]);
        error.Code.ShouldBe(TransportErrorCode.Interrupted);
        await ShouldHaveEnded(transport, journal, StreamEndReason.Interrupted, TransportState.Failed);
    }

    [Fact]
    public async Task A_final_error_is_a_failure_and_the_sequence_throws_it()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.RespondAsync(404));
        await using var transport = server.Transport();
        var journal = new EventJournal(transport, withMessages: false);

        var error = await transport.ReadAllAsync().TextsAsync().Soon().ShouldThrowAsync<TransportException>();

        error.Code.ShouldBe(TransportErrorCode.HttpStatus);
        (await transport.Completion.Soon()).Error.ShouldBeSameAs(error);
        await ShouldHaveEnded(transport, journal, StreamEndReason.Failed, TransportState.Failed);
    }

    [Fact]
    public async Task A_transport_that_was_never_connected_closes_without_a_connection()
    {
        await using var transport = new InMemoryTransport();
        var journal = new EventJournal(transport);

        await transport.CloseAsync().Soon();

        await ShouldHaveEnded(transport, journal, StreamEndReason.Closed, TransportState.Closed);
        journal.Entries.ShouldBe(["closed Closed"]);
        transport.Attempts.ShouldBe(0);
    }

    [Fact]
    public async Task A_connection_that_cannot_be_closed_in_order_does_not_change_how_the_stream_ended()
    {
        await using var transport = new InMemoryTransport();
        await transport.ConnectAsync().Soon();
        transport.Connection.OnDispose = static () => throw new InvalidOperationException("Broken by the test.");

        transport.Connection.Finish();

        (await transport.Completion.Soon()).ShouldBe(new StreamEnd { Reason = StreamEndReason.Completed });
    }

    private static async Task ShouldHaveEnded(Transport transport, EventJournal journal, StreamEndReason reason, TransportState state)
    {
        (await transport.Completion.Soon()).Reason.ShouldBe(reason);
        transport.State.ShouldBe(state);
        transport.IsConnected.ShouldBeFalse();
        await journal.UntilClosed();
        journal.Entries[^1].ShouldBe($"closed {reason}");
        journal.Entries.Count(static entry => entry.StartsWith("closed", StringComparison.Ordinal)).ShouldBe(1);
    }

    private static async Task ReadInto(List<string> texts, Transport transport)
    {
        await foreach (var message in transport.ReadAllAsync())
        {
            texts.Add(message.Text);
        }
    }
}
