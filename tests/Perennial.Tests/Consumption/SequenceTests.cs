using System.Text.Json.Serialization;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Consumption;

public partial class SequenceTests
{
    [Fact]
    public async Task Reading_connects_on_first_use()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAsync(1, 2));
        await using var transport = server.Transport();
        var messages = transport.ReadAllAsync();
        transport.State.ShouldBe(TransportState.Idle);

        (await messages.TextsAsync().Soon()).ShouldBe(["1", "2"]);
    }

    [Fact]
    public async Task A_sequence_cannot_be_read_while_messages_have_a_handler()
    {
        await using var transport = new InMemoryTransport();
        transport.MessageReceived += static (_, _) => { };

        Should.Throw<InvalidOperationException>(() => transport.ReadAllAsync()).Message.ShouldContain(nameof(Transport.MessageReceived));
        transport.State.ShouldBe(TransportState.Idle);
    }

    [Fact]
    public async Task A_handler_added_between_asking_for_the_sequence_and_reading_it_wins()
    {
        await using var transport = new InMemoryTransport();
        var messages = transport.ReadAllAsync();
        transport.MessageReceived += static (_, _) => { };

        await messages.TextsAsync().Soon().ShouldThrowAsync<InvalidOperationException>();
        transport.State.ShouldBe(TransportState.Idle);
    }

    [Fact]
    public async Task Messages_cannot_have_a_handler_while_the_sequence_is_read()
    {
        await using var transport = new InMemoryTransport();
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1");

        await foreach (var message in transport.ReadAllAsync())
        {
            Should.Throw<InvalidOperationException>(
                () => transport.MessageReceived += Nothing).Message.ShouldContain(nameof(Transport.ReadAllAsync));
            break;
        }

        transport.MessageReceived += Nothing;

        static void Nothing(object? sender, StreamMessage message)
        {
        }
    }

    [Fact]
    public async Task Two_loops_at_once_are_refused_and_the_first_goes_on()
    {
        await using var transport = new InMemoryTransport();
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1", "2").Finish();

        await using var first = transport.ReadAllAsync().GetAsyncEnumerator();
        await first.MoveNextAsync().Soon();
        var error = await transport.ReadAllAsync().TextsAsync().Soon().ShouldThrowAsync<InvalidOperationException>();

        error.Message.ShouldContain("one reader");
        (await first.MoveNextAsync().Soon()).ShouldBeTrue();
        first.Current.Text.ShouldBe("2");
        (await first.MoveNextAsync().Soon()).ShouldBeFalse();
    }

    [Fact]
    public async Task Leaving_a_loop_and_coming_back_goes_on_where_it_was()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAsync(1, 5));
        await using var transport = server.Transport();

        (await transport.ReadAllAsync().TextsAsync(2).Soon()).ShouldBe(["1", "2"]);
        (await transport.ReadAllAsync().TextsAsync(1).Soon()).ShouldBe(["3"]);
        (await transport.ReadAllAsync().TextsAsync().Soon()).ShouldBe(["4", "5"]);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task One_sequence_can_be_read_again_and_again()
    {
        await using var transport = new InMemoryTransport();
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1", "2").Finish();
        var messages = transport.ReadAllAsync();

        (await messages.TextsAsync(1).Soon()).ShouldBe(["1"]);
        (await messages.TextsAsync().Soon()).ShouldBe(["2"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancelling_a_loop_leaves_the_transport_connected(bool byParameter)
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAndWaitAsync(1, 1));
        await using var transport = server.Transport();
        using var cancel = new CancellationTokenSource();
        using var other = new CancellationTokenSource();
        var messages = byParameter ? transport.ReadAllAsync(cancel.Token) : transport.ReadAllAsync(other.Token);
        await using var reader = messages.GetAsyncEnumerator(byParameter ? other.Token : cancel.Token);
        await reader.MoveNextAsync().Soon();
        var next = reader.MoveNextAsync().AsTask();

        await cancel.CancelAsync();

        await next.Soon().ShouldThrowAsync<OperationCanceledException>();
        transport.IsConnected.ShouldBeTrue();
        await reader.DisposeAsync();
        var reading = transport.ReadAllAsync().TextsAsync();
        await transport.CloseAsync().Soon();
        (await reading.Soon()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_cancelled_token_ends_a_loop_even_where_messages_wait()
    {
        await using var transport = new InMemoryTransport();
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1", "2", "3");
        using var cancel = new CancellationTokenSource();
        var texts = new List<string>();

        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var message in transport.ReadAllAsync(cancel.Token))
            {
                texts.Add(message.Text);
                await cancel.CancelAsync();
            }
        });

        texts.ShouldBe(["1"]);
        (await transport.ReadAllAsync().TextsAsync(2).Soon()).ShouldBe(["2", "3"]);
    }

    [Fact]
    public async Task A_message_that_is_not_the_json_expected_is_an_error_after_which_the_next_can_be_read()
    {
        await using var transport = new InMemoryTransport();
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("""{"text":"a"}""", """{"text":""", "null", """{"text":"b"}""").Finish();
        var words = new List<string?>();

        var error = await Should.ThrowAsync<TransportException>(() => ReadAsync().Soon());
        await ReadAsync().Soon();

        error.Code.ShouldBe(TransportErrorCode.InvalidMessage);
        error.IsTransient.ShouldBeFalse();
        error.Message.ShouldContain(nameof(Word));
        words.ShouldBe(["a", null, "b"]);

        async Task ReadAsync()
        {
            await foreach (var word in transport.ReadJsonAsync(Json.Default.Word))
            {
                words.Add(word?.Text);
            }
        }
    }

    [Fact]
    public async Task Reading_goes_from_handlers_to_the_sequence_without_losing_or_repeating_a_message()
    {
        for (var round = 0; round < 300; round++)
        {
            await using var transport = new InMemoryTransport();
            var handled = new List<string>();
            EventHandler<StreamMessage> handler = (_, message) => handled.Add(message.Text);
            transport.MessageReceived += handler;
            await transport.ConnectAsync().Soon();
            var writing = Task.Run(() =>
            {
                for (var i = 1; i <= 50; i++)
                {
                    transport.Connection.Say($"{i}");
                }

                transport.Connection.Finish();
            });
            await Patience.Until(() => handled.Count >= round % 40, "some messages are handled");

            transport.MessageReceived -= handler;
            var read = await transport.ReadAllAsync().TextsAsync().Soon();

            await writing.Soon();
            handled.Concat(read).ShouldBe(EventStreams.Numbers(1, 50), $"round {round}");
        }
    }

    [Fact]
    public async Task The_sequence_takes_over_at_once_from_a_handler_that_waits_in_vain()
    {
        await using var transport = new InMemoryTransport();
        await transport.ConnectAsync().Soon();
        EventHandler<StreamMessage> handler = static (_, _) => Assert.Fail("There was no message for this handler.");
        for (var round = 0; round < 3000; round++)
        {
            transport.MessageReceived += handler;
            await Task.Yield();
            transport.MessageReceived -= handler;

            var reading = transport.ReadAllAsync().TextsAsync(1);
            transport.Connection.Say("1");

            (await reading.Soon()).ShouldBe(["1"], $"round {round}");
        }

        var handled = new TaskCompletionSource<string>();
        transport.MessageReceived += (_, message) => handled.TrySetResult(message.Text);
        transport.Connection.Say("last");
        (await handled.Task.Soon()).ShouldBe("last");
        transport.GetMetrics().HandlerErrors.ShouldBe(0);
    }

    internal sealed record Word(string Text);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(Word))]
    internal sealed partial class Json : JsonSerializerContext;
}
