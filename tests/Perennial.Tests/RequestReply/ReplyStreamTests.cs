using Perennial.Requests;
using Perennial.Tests.Fixtures;
using static Perennial.Tests.RequestReply.RequestText;

namespace Perennial.Tests.RequestReply;

/// <summary>One request, many replies: their order, their end, and a reader who is slow or leaves.</summary>
public class ReplyStreamTests
{
    [Fact]
    public async Task Replies_come_in_order_until_the_one_that_says_it_is_the_last()
    {
        await using var asker = new Asker();
        var replies = Collect(asker.Transport.RequestStreamAsync(new Words("go"), WordsJson.Default.Words, WordsJson.Default.Words));
        var request = await asker.SentAsync();
        asker.Connection.SayPlain(Reply(request, "\"text\":\"a\""), "other", Reply(request, "\"text\":\"b\",\"done\":false"));
        asker.Connection.SayPlain(Reply(request, "\"text\":\"c\",\"done\":true"), "another");

        (await replies.Soon()).Select(static words => words!.Text).ShouldBe(["a", "b", "c"]);

        (await asker.Transport.ReadAllAsync().TextsAsync(2).Soon()).ShouldBe(["other", "another"]);
        asker.Metrics.OutstandingRequests.ShouldBe(0);
        asker.Metrics.LateReplies.ShouldBe(0);
    }

    [Fact]
    public async Task A_bare_end_is_no_reply()
    {
        await using var asker = new Asker();
        var replies = asker.Transport.RequestStreamAsync("{}").TextsAsync();
        var request = await asker.SentAsync();
        asker.Connection.SayPlain(Reply(request, "\"n\":1"), Reply(request, "\"done\":true"));

        (await replies.Soon()).ShouldBe([Reply(request, "\"n\":1")]);
    }

    [Fact]
    public async Task An_error_comes_after_the_replies_before_it()
    {
        await using var asker = new Asker();
        List<string> texts = [];
        var reading = ReadAsync();
        var request = await asker.SentAsync();
        asker.Connection.SayPlain(Reply(request, "\"n\":1"), Reply(request, "\"error\":\"no more\""));

        (await Should.ThrowAsync<TransportException>(reading.Soon())).ServerMessage.ShouldBe("no more");

        texts.ShouldBe([Reply(request, "\"n\":1")]);

        async Task ReadAsync()
        {
            await foreach (var reply in asker.Transport.RequestStreamAsync("{}"))
            {
                texts.Add(reply.Text);
            }
        }
    }

    [Fact]
    public async Task Streams_that_interleave_do_not_mix()
    {
        await using var asker = new Asker();
        var streams = Enumerable.Range(0, 3).Select(i => asker.Transport.RequestStreamAsync($$"""{"i":{{i}}}""").TextsAsync()).ToArray();
        await asker.SentAsync(2);
        var requests = asker.Sent;
        for (var n = 0; n < 4; n++)
        {
            asker.Connection.SayPlain(
                [.. requests.Select(request => Reply(request, $"\"n\":{n},\"i\":{Member(request, "i")}{(n == 3 ? ",\"done\":true" : "")}"))]);
        }

        foreach (var (stream, i) in streams.Select(static (stream, i) => (stream, i)))
        {
            (await stream.Soon())
                .Select(static text => $"{Member(text, "i")}.{Member(text, "n")}")
                .ShouldBe(Enumerable.Range(0, 4).Select(n => $"{i}.{n}"));
        }
    }

    [Fact]
    public async Task Each_loop_over_the_sequence_is_a_request_of_its_own()
    {
        await using var asker = new Asker();
        var sequence = asker.Transport.RequestStreamAsync("{}");
        asker.Transport.State.ShouldBe(TransportState.Idle);

        for (var i = 0; i < 2; i++)
        {
            var texts = sequence.TextsAsync();
            await asker.AnswerAsync(i, "\"done\":true");
            (await texts.Soon()).ShouldBeEmpty();
        }

        asker.Sent.Select(IdOf).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_slow_reader_holds_back_the_connection_and_loses_nothing()
    {
        await using var asker = new Asker();
        await using var replies = asker.Transport.RequestStreamAsync("{}", new RequestOptions { BufferCapacity = 2 }).GetAsyncEnumerator();
        var next = replies.MoveNextAsync();
        var request = await asker.SentAsync();
        for (var n = 0; n < 10; n++)
        {
            asker.Connection.SayPlain(Reply(request, $"\"n\":{n}{(n == 9 ? ",\"done\":true" : "")}"));
        }

        (await next.Soon()).ShouldBeTrue();
        var reads = await Patience.UntilStill(() => asker.Connection.Reads);
        reads.ShouldBeLessThan(6);

        for (var n = 0; n < 10; n++)
        {
            Member(replies.Current.Text, "n").ShouldBe($"{n}");
            (await replies.MoveNextAsync().Soon()).ShouldBe(n < 9);
        }
    }

    [Fact]
    public async Task Leaving_the_loop_lets_the_connection_go_on_and_what_is_left_is_counted()
    {
        await using var asker = new Asker();
        var replies = asker.Transport.RequestStreamAsync("{}", new RequestOptions { BufferCapacity = 1 }).TextsAsync(count: 1);
        var request = await asker.SentAsync();
        for (var n = 0; n < 5; n++)
        {
            asker.Connection.SayPlain(Reply(request, $"\"n\":{n}"));
        }

        asker.Connection.SayPlain(Reply(request, "\"done\":true"), "next");

        await replies.Soon();
        (await asker.Transport.ReadAllAsync().TextsAsync(1).Soon()).ShouldBe(["next"]);
        asker.Metrics.LateReplies.ShouldBe(5);
        asker.Metrics.OutstandingRequests.ShouldBe(0);
    }

    [Fact]
    public async Task The_timeout_runs_while_the_reader_waits_and_anew_for_each_reply()
    {
        await using var asker = new Asker();
        var limit = TimeSpan.FromSeconds(7);
        await using var replies = asker.Transport.RequestStreamAsync("{}", new RequestOptions { Timeout = limit }).GetAsyncEnumerator();
        var next = replies.MoveNextAsync();
        var request = await asker.SentAsync();
        for (var n = 0; n < 3; n++)
        {
            await asker.Clock.WaitForTimerAsync(limit);
            asker.Clock.Advance(limit - TimeSpan.FromTicks(1));
            asker.Connection.SayPlain(Reply(request, $"\"n\":{n}"));
            (await next.Soon()).ShouldBeTrue();
            asker.Clock.Advance(limit);
            next = replies.MoveNextAsync();
        }

        await asker.Clock.WaitForTimerAsync(limit);
        asker.Clock.Advance(limit);

        (await Should.ThrowAsync<TransportException>(next.Soon())).Code.ShouldBe(TransportErrorCode.ReplyTimeout);
    }

    private static async Task<List<T>> Collect<T>(IAsyncEnumerable<T> sequence)
    {
        List<T> all = [];
        await foreach (var each in sequence)
        {
            all.Add(each);
        }

        return all;
    }
}
