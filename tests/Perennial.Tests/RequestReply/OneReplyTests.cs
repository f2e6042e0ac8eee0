using System.Text;
using Perennial.Requests;
using Perennial.Tests.Fixtures;
using static Perennial.Tests.RequestReply.RequestText;

namespace Perennial.Tests.RequestReply;

/// <summary>One request, one reply, and nothing of it anywhere else.</summary>
public class OneReplyTests
{
    [Fact]
    public async Task A_value_is_asked_and_a_value_answers()
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync(new Words("how are you?"), WordsJson.Default.Words, WordsJson.Default.Words);
        var request = await asker.SentAsync();
        asker.Connection.SayPlain(Reply(request, "\"text\":\"fine\""));

        (await reply.Soon()).ShouldBe(new Words("fine"));

        Member(request, "text").ShouldBe("how are you?");
        IdOf(request).ShouldMatch("^[0-9A-Za-z]{22}$");
        asker.Metrics.OutstandingRequests.ShouldBe(0);
    }

    [Theory]
    [InlineData("{}", "")]
    [InlineData(" { } ", "")]
    [InlineData("{\"a\":{\"requestId\":1}}", "\"a\":{\"requestId\":1}")]
    [InlineData("\n{ \"a\" : [1, 2] }", " \"a\" : [1, 2] ")]
    public async Task A_request_is_sent_as_it_is_but_for_its_id(string json, string members)
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync(json);

        var request = await asker.SentAsync();
        asker.Connection.SayPlain(Reply(request));

        request.Trim().ShouldBe($$"""{"requestId":"{{IdOf(request)}}"{{(members.Length == 0 ? json.Trim()[1..^1] : "," + members)}}}""");
        (await reply.Soon()).Text.ShouldBe(Reply(request));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}{}")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{\"a\":1,\"requestId\":null}")]
    public async Task What_cannot_carry_an_id_is_a_mistake_of_the_caller(string json)
    {
        await using var asker = new Asker();

        var error = await Should.ThrowAsync<ArgumentException>(asker.Transport.RequestAsync(json).Soon());

        error.ParamName.ShouldBe("value");
        asker.Transport.State.ShouldBe(TransportState.Idle);
    }

    [Fact]
    public async Task A_request_too_large_and_options_out_of_range_are_mistakes_of_the_caller()
    {
        await using var asker = new Asker(static options => options with { Send = new() { MaxMessageBytes = 40 } });

        await Should.ThrowAsync<ArgumentException>(asker.Transport.RequestAsync("{\"a\":1}").Soon());
        await Should.ThrowAsync<ArgumentOutOfRangeException>(
            asker.Transport.RequestAsync("{}", new RequestOptions { Timeout = TimeSpan.Zero }).Soon());
        await Should.ThrowAsync<ArgumentOutOfRangeException>(
            asker.Transport.RequestAsync("{}", new RequestOptions { BufferCapacity = 0 }).Soon());
        await Should.ThrowAsync<ArgumentNullException>(
            asker.Transport.RequestAsync("{}", new RequestOptions { Convention = null! }).Soon());

        asker.Metrics.OutstandingRequests.ShouldBe(0);
    }

    [Fact]
    public async Task Replies_find_their_requests_in_any_order()
    {
        await using var asker = new Asker();
        var replies = Enumerable.Range(0, 5).Select(i => asker.Transport.RequestAsync($$"""{"i":{{i}}}""")).ToArray();
        await asker.SentAsync(4);

        asker.Connection.SayPlain([.. asker.Sent.Reverse().Select(static request => Reply(request, $"\"echo\":{Member(request, "i")}"))]);

        var texts = (await Task.WhenAll(replies).Soon()).Select(static reply => Member(reply.Text, "echo"));
        texts.ShouldBe(["0", "1", "2", "3", "4"]);
        asker.Sent.Select(IdOf).Distinct().Count().ShouldBe(5);
    }

    [Fact]
    public async Task The_sequence_gets_every_other_message_in_order_and_no_reply()
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync("{}");
        var id = IdOf(await asker.SentAsync());
        string[] others =
        [
            "plain", $"\"{id}\"", "{\"requestId\":\"another's\"}", $$$"""{"quoted":{"requestId":"{{{id}}}"}}""", $$"""["{{id}}"]""",
            $$"""{"requestId":["{{id}}"]}""", $$"""{"requestId":"{{id}}",}""", $$"""{"requestId":"{{id}}x"}""",
        ];
        asker.Connection.SayPlain([.. others, $$"""{"quoted":{"requestId":"{{id}}"},"requestId":"{{id}}"}""", "last"]);

        (await asker.Transport.ReadAllAsync().TextsAsync(others.Length + 1).Soon()).ShouldBe([.. others, "last"]);

        Member((await reply.Soon()).Text, "quoted").ShouldNotBeEmpty();
        asker.Metrics.MessagesReceived.ShouldBe(others.Length + 2);
    }

    [Fact]
    public async Task Handlers_of_messages_see_no_reply()
    {
        await using var asker = new Asker();
        var journal = new EventJournal(asker.Transport);
        var reply = asker.Transport.RequestAsync("{}");
        var request = await asker.SentAsync();

        asker.Connection.SayPlain("before", Reply(request), "after");

        await reply.Soon();
        await journal.Until("message after");
        journal.Entries.Where(
            static entry => entry.StartsWith("message", StringComparison.Ordinal)).ShouldBe(["message before", "message after"]);
    }

    [Fact]
    public async Task The_cursor_moves_past_a_reply_and_not_before_what_comes_before_it_was_handed_over()
    {
        await using var asker = new Asker(static options => options with { Buffer = new() { Capacity = 1 } });
        var reply = asker.Transport.RequestAsync("{}");
        var request = await asker.SentAsync();
        asker.Connection.Script(batch =>
        {
            foreach (var (id, text) in new[] { ("1", "a"), ("2", "b"), ("3", Reply(request)) })
            {
                batch.Add(Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(id));
            }

            return ReadOutcome.More;
        });
        await Patience.Until(() => asker.Transport.LastEventId is "1", "the first message was handed over");
        reply.IsCompleted.ShouldBeFalse();

        await asker.Transport.ReadAllAsync().TextsAsync(2).Soon();

        await reply.Soon();
        await Patience.Until(() => asker.Transport.LastEventId is "3", "the cursor is past the reply");
    }

    [Theory]
    [InlineData("\"error\":\"no such cat\"", "no such cat", null)]
    [InlineData("\"error\":{\"message\":\"no such cat\",\"code\":\"not_found\"}", "no such cat", "not_found")]
    [InlineData("\"error\":{\"code\":404},\"done\":true", null, "404")]
    [InlineData("\"type\":\"error\",\"error\":{}", null, null)]
    public async Task An_error_of_the_server_is_the_requests_alone(string members, string? message, string? code)
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync("{}");
        await asker.AnswerAsync(0, members, "next");

        var error = await Should.ThrowAsync<TransportException>(reply.Soon());

        (error.Code, error.IsTransient, error.ServerMessage, error.ServerCode).ShouldBe(
            (TransportErrorCode.RequestFailed, false, message, code));
        error.Message.ShouldNotContain("cat");
        (await asker.Transport.ReadAllAsync().TextsAsync(1).Soon()).ShouldBe(["next"]);
        asker.Metrics.OutstandingRequests.ShouldBe(0);
    }

    [Theory]
    [InlineData("\"error\":null")]
    [InlineData("\"error\":false")]
    [InlineData("\"done\":true")]
    public async Task What_says_little_is_a_reply_all_the_same(string members)
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync("{}");
        var text = Reply(await asker.SentAsync(), members);
        asker.Connection.SayPlain(text);

        (await reply.Soon()).Text.ShouldBe(text);
    }

    [Fact]
    public async Task A_reply_of_another_type_is_an_error_of_its_own()
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync(new Words(""), WordsJson.Default.Words, WordsJson.Default.Words);
        await asker.AnswerAsync(0, "\"text\":[]");

        (await Should.ThrowAsync<TransportException>(reply.Soon())).Code.ShouldBe(TransportErrorCode.InvalidMessage);
    }
}
