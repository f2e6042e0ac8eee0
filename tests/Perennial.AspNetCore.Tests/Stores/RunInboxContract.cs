using System.Text;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>What every store promises about messages to a producer. Uses nothing but the public contract, as <see cref="RunStoreContract"/>.</summary>
public abstract class RunInboxContract
{
    private const int Hang = 180_000;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    /// <summary>Opens a store with these options. Whoever inherits disposes it after the test.</summary>
    protected abstract Task<IRunStore> OpenAsync(PerennialServerOptions options);

    [Fact(Timeout = Hang)]
    public async Task Messages_are_read_in_order_as_they_were_until_they_are_done_with()
    {
        var run = await OpenRunAsync();
        await ReceiveAsync(run, new() { Data = "one"u8.ToArray(), Key = "k1" });
        await ReceiveAsync(run, new() { Data = new byte[] { 0, 255 }, IsBinary = true, Sender = "s", Number = 1 });
        await ReceiveAsync(run, new() { Data = ReadOnlyMemory<byte>.Empty });

        var messages = await run.ReadMessagesAsync(0, TestEnds);

        messages.Select(message => message.Position).ShouldBe([1, 2, 3]);
        messages.Select(message => message.IsBinary).ShouldBe([false, true, false]);
        messages.Select(message => Convert.ToHexString(message.Data.Span)).ShouldBe(["6F6E65", "00FF", ""]);
        (await run.ReadMessagesAsync(2, TestEnds)).ShouldHaveSingleItem().Position.ShouldBe(3);
        (await run.ReadMessagesAsync(3, TestEnds)).ShouldBeEmpty();
        await ReceiveAsync(run, Text("four"));
        (await run.ReadMessagesAsync(3, TestEnds)).ShouldHaveSingleItem().Position.ShouldBe(4);
    }

    [Fact(Timeout = Hang)]
    public async Task A_key_is_taken_once_and_a_message_without_a_name_each_time()
    {
        var run = await OpenRunAsync();

        (await ReceiveAsync(run, Text("a") with { Key = "key" })).Outcome.ShouldBe(ReceiveOutcome.Accepted);
        (await ReceiveAsync(run, Text("a") with { Key = "key" })).Outcome.ShouldBe(ReceiveOutcome.Repeated);
        (await ReceiveAsync(run, Text("c") with { Key = "KEY" })).Outcome.ShouldBe(ReceiveOutcome.Accepted);
        (await ReceiveAsync(run, Text("d"))).Outcome.ShouldBe(ReceiveOutcome.Accepted);
        (await ReceiveAsync(run, Text("d"))).Outcome.ShouldBe(ReceiveOutcome.Accepted);

        (await TextsAsync(run)).ShouldBe(["a", "c", "d", "d"]);
    }

    [Fact(Timeout = Hang)]
    public async Task A_key_belongs_to_its_owner_and_to_one_message()
    {
        var run = await OpenRunAsync();

        (await ReceiveAsync(run, Text("a") with { Key = "key", KeyOwner = "one" })).Outcome.ShouldBe(ReceiveOutcome.Accepted);
        (await ReceiveAsync(run, Text("a") with { Key = "key", KeyOwner = "two" })).Outcome.ShouldBe(ReceiveOutcome.Accepted);
        (await ReceiveAsync(run, Text("b") with { Key = "key", KeyOwner = "one" })).Outcome.ShouldBe(ReceiveOutcome.OtherMessage);
        (await ReceiveAsync(run, Text("a") with { Key = "key", KeyOwner = "one", IsBinary = true })).Outcome.ShouldBe(ReceiveOutcome.OtherMessage);
        (await ReceiveAsync(run, Text("a") with { Key = "key", KeyOwner = "one" })).Outcome.ShouldBe(ReceiveOutcome.Repeated);

        (await TextsAsync(run)).ShouldBe(["a", "a"]);
    }

    [Fact(Timeout = Hang)]
    public async Task Numbers_are_taken_once_in_order_and_without_holes_for_each_sender()
    {
        var run = await OpenRunAsync();

        (await SendAsync("a", 1)).ShouldBe(new ReceiveResult(ReceiveOutcome.Accepted, 1));
        (await SendAsync("a", 3)).ShouldBe(new ReceiveResult(ReceiveOutcome.Hole, 1));
        (await SendAsync("a", 2)).ShouldBe(new ReceiveResult(ReceiveOutcome.Accepted, 2));
        (await SendAsync("a", 1)).ShouldBe(new ReceiveResult(ReceiveOutcome.Repeated, 2));
        (await SendAsync("b", 2)).ShouldBe(new ReceiveResult(ReceiveOutcome.Hole, 0));
        (await SendAsync("b", 1)).ShouldBe(new ReceiveResult(ReceiveOutcome.Accepted, 1));

        (await run.GetSenderAsync("a", 1, TestEnds)).Received.ShouldBe(2);
        (await run.GetSenderAsync("b", 1, TestEnds)).Received.ShouldBe(1);
        (await run.GetSenderAsync("nobody", 1, TestEnds)).Received.ShouldBe(0);
        (await TextsAsync(run)).ShouldBe(["a1", "a2", "b1"]);

        Task<ReceiveResult> SendAsync(string sender, long number) =>
            ReceiveAsync(run, Text($"{sender}{number}") with { Sender = sender, Number = number });
    }

    [Fact(Timeout = Hang)]
    public async Task A_refused_message_uses_its_number_up_reaches_nobody_and_is_remembered_until_its_sender_knows()
    {
        var run = await OpenRunAsync();
        var refused = new RunMessage { Sender = "s", Number = 1, Refusal = "payload_too_large" };

        (await ReceiveAsync(run, refused)).ShouldBe(new ReceiveResult(ReceiveOutcome.Accepted, 1));
        (await ReceiveAsync(run, refused)).ShouldBe(new ReceiveResult(ReceiveOutcome.Repeated, 1));
        (await ReceiveAsync(run, Text("next") with { Sender = "s", Number = 2 })).ShouldBe(new ReceiveResult(ReceiveOutcome.Accepted, 2));
        await ReceiveAsync(run, new RunMessage { Sender = "s", Number = 3, Refusal = "forbidden" });

        (await TextsAsync(run)).ShouldBe(["next"]);
        await RefusalsShouldBe(next: 1, new RunRefusal(1, "payload_too_large"), new RunRefusal(3, "forbidden"));
        await RefusalsShouldBe(next: 2, new RunRefusal(3, "forbidden"));
        await RefusalsShouldBe(next: 1, new RunRefusal(3, "forbidden"));
        await RefusalsShouldBe(next: 4);

        async Task RefusalsShouldBe(long next, params RunRefusal[] refusals)
        {
            var state = await run.GetSenderAsync("s", next, TestEnds);
            (state.Received, state.Refusals).ShouldSatisfyAllConditions(
                s => s.Received.ShouldBe(3),
                s => s.Refusals.ShouldBe(refusals));
        }
    }

    [Fact(Timeout = Hang)]
    public async Task As_many_refusals_are_remembered_as_a_client_has_messages_under_way()
    {
        const int window = 256, told = 10;
        var run = await OpenRunAsync();
        for (var n = 1; n <= told + window; n++)
        {
            (await ReceiveAsync(run, new() { Sender = "s", Number = n, Refusal = "forbidden" })).Outcome.ShouldBe(ReceiveOutcome.Accepted);
        }

        var state = await run.GetSenderAsync("s", told + 1, TestEnds);

        state.Received.ShouldBe(told + window);
        state.Refusals.Select(refusal => refusal.Number).ShouldBe(Enumerable.Range(told + 1, window).Select(n => (long)n));
    }

    [Fact(Timeout = Hang)]
    public async Task What_comes_after_the_end_is_refused_and_what_came_before_is_known_still()
    {
        var run = await OpenRunAsync();
        var (keyed, numbered) = (Text("a") with { Key = "key" }, Text("b") with { Sender = "s", Number = 1 });
        await ReceiveAsync(run, keyed);
        await ReceiveAsync(run, numbered);

        await run.CloseAsync(RunEnd.Completed, TestEnds);

        (await ReceiveAsync(run, keyed)).Outcome.ShouldBe(ReceiveOutcome.Repeated);
        (await ReceiveAsync(run, numbered)).ShouldBe(new ReceiveResult(ReceiveOutcome.Repeated, 1));
        (await ReceiveAsync(run, Text("c"))).Outcome.ShouldBe(ReceiveOutcome.Ended);
        (await ReceiveAsync(run, numbered with { Number = 2 })).ShouldBe(new ReceiveResult(ReceiveOutcome.Ended, 1));
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_without_use_for_messages_takes_none()
    {
        var store = await OpenAsync(new());
        var run = await RunStoreContract.CreateAsync(store, takesMessages: false);

        (await ReceiveAsync((await store.FindAsync(run.Id, TestEnds))!, Text("one"))).Outcome.ShouldBe(ReceiveOutcome.NotTaken);

        (await TextsAsync(run)).ShouldBeEmpty();
    }

    [Fact(Timeout = Hang)]
    public async Task More_than_may_wait_is_refused_until_there_is_room()
    {
        var run = await OpenRunAsync(new() { MaxPendingMessageBytes = 1000 });
        var large = Text(new string('x', 2000)) with { Key = "large" };

        (await ReceiveAsync(run, large)).Outcome.ShouldBe(ReceiveOutcome.Accepted, "one message is always taken");
        (await ReceiveAsync(run, Text("small") with { Key = "small" })).Outcome.ShouldBe(ReceiveOutcome.Full);
        (await ReceiveAsync(run, large)).Outcome.ShouldBe(ReceiveOutcome.Repeated);

        await run.ReadMessagesAsync(1, TestEnds);
        (await ReceiveAsync(run, Text("small") with { Key = "small" })).Outcome.ShouldBe(ReceiveOutcome.Accepted);
    }

    [Fact(Timeout = Hang)]
    public async Task Of_many_repetitions_at_once_one_is_taken()
    {
        var store = await OpenAsync(new());
        var run = await RunStoreContract.CreateAsync(store);
        var message = Text("once") with { Key = "key" };

        var results = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
            await ReceiveAsync((await store.FindAsync(run.Id, TestEnds))!, message))));

        results.Count(result => result.Outcome == ReceiveOutcome.Accepted).ShouldBe(1);
        results.Count(result => result.Outcome == ReceiveOutcome.Repeated).ShouldBe(15);
        (await TextsAsync(run)).ShouldBe(["once"]);
    }

    [Fact(Timeout = Hang)]
    public async Task A_producer_who_waits_for_messages_gets_each_once_in_order()
    {
        const int senders = 4, each = 100;
        var run = await OpenRunAsync();
        var reading = Task.Run(ReadAllAsync);

        await Task.WhenAll(Enumerable.Range(0, senders).Select(sender => Task.Run(async () =>
        {
            for (var n = 1; n <= each; n++)
            {
                await ReceiveAsync(run, Text($"{sender}:{n}") with { Sender = $"{sender}", Number = n });
            }
        })));

        var texts = await reading;
        for (var sender = 0; sender < senders; sender++)
        {
            texts.Where(text => text.StartsWith($"{sender}:", StringComparison.Ordinal))
                .ShouldBe(Enumerable.Range(1, each).Select(n => $"{sender}:{n}"));
        }

        async Task<List<string>> ReadAllAsync()
        {
            var news = new RunSignal();
            using var subscription = run.Subscribe(RunNews.Messages, news);
            var received = new List<string>();
            while (received.Count < senders * each)
            {
                var messages = await run.ReadMessagesAsync(received.Count, TestEnds);
                foreach (var message in messages)
                {
                    message.Position.ShouldBe(received.Count + 1);
                    received.Add(Encoding.UTF8.GetString(message.Data.Span));
                }

                if (messages.Count == 0)
                {
                    await news.WaitAsync();
                }
            }

            return received;
        }
    }

    private async Task<IRunLog> OpenRunAsync(PerennialServerOptions? options = null) =>
        await RunStoreContract.CreateAsync(await OpenAsync(options ?? new()));

    private static async Task<ReceiveResult> ReceiveAsync(IRunLog run, RunMessage message) => await run.ReceiveAsync(message, TestEnds);

    private static async Task<string[]> TextsAsync(IRunLog run) =>
        [.. (await run.ReadMessagesAsync(0, TestEnds)).Select(message => Encoding.UTF8.GetString(message.Data.Span))];

    private static RunMessage Text(string text) => new() { Data = Encoding.UTF8.GetBytes(text) };
}
