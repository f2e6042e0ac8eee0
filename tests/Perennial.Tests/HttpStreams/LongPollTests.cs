using Perennial.HttpStreams;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.BodyScripts;

namespace Perennial.Tests.HttpStreams;

/// <summary>What polls bring: messages in every form an answer has, endings, errors, and where the next poll goes on.</summary>
public class LongPollTests
{
    private const string Done = "{\"type\":\"done\"}";

    [Fact]
    public async Task Messages_come_over_as_many_polls_as_it_takes()
    {
        await using var server = ScriptedServer.Start(
            Answer("{\"n\":1}"),
            SseScripts.Status(204),
            Answer("[{\"n\":2}, {\"n\":3}]"),
            Answer("[]"),
            Answer("{\"n\":4}\n{\"n\":5}", "application/x-ndjson"),
            Answer(Done));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBe(["{\"n\":1}", "{\"n\":2}", "{\"n\":3}", "{\"n\":4}", "{\"n\":5}"]);

        (await probe.Transport.Completion).ShouldBe(StreamEnd.Completed);
        server.Requests.Count.ShouldBe(6);
        server.Connections.ShouldBe(1);
        probe.All<ConnectedEvent>().Count.ShouldBe(1);
        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("", "application/json")]
    [InlineData(" \n", "application/json")]
    [InlineData("", null)]
    [InlineData("\uFEFF", "application/json")]
    [InlineData("\uFEFF {\"n\":1}\r\n", "application/json", "{\"n\":1}")]
    [InlineData("{\n  \"n\": 1\n}", "application/problem+json", "{\n  \"n\": 1\n}")]
    [InlineData("{\"n\":1}\n{\"n\":2}\n", "application/json", "{\"n\":1}", "{\"n\":2}")]
    [InlineData("[[1,2],\"a\",null,{\"b\":[3]}]", "Application/JSON; charset=utf-8", "[1,2]", "\"a\"", "null", "{\"b\":[3]}")]
    [InlineData("[1,2]\n", "application/x-ndjson", "[1,2]")]
    [InlineData("7", null, "7")]
    public async Task An_answer_may_have_any_of_these_forms(string body, string? contentType, params string[] messages)
    {
        await using var server = ScriptedServer.Start(
            exchange => exchange.RespondAsync(200, body, contentType is null ? [] : [("Content-Type", contentType)]), Answer(Done));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBe(messages);

        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("[{\"n\":1},{\"n\":2},oops]")]
    [InlineData("[{\"n\":1},{\"n\":2},{\"n\":")]
    [InlineData("[{\"n\":1},{\"n\":2}]]")]
    [InlineData("{\"n\":1} {\"n\":2} }")]
    public async Task Of_a_damaged_answer_the_messages_before_the_damage_count(string body)
    {
        await using var server = ScriptedServer.Start(Answer(body), Answer("{\"n\":3}"), Answer(Done));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBe(["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);

        var error = probe.All<ErrorEvent>().ShouldHaveSingleItem();
        (error.Code, error.IsRecoverable).ShouldBe((TransportErrorCode.InvalidMessage, true));
    }

    [Fact]
    public async Task The_last_message_may_say_that_it_is_the_last()
    {
        await using var server = ScriptedServer.Start(Answer("[{\"n\":1},{\"model\":\"m\",\"done\":true},{\"n\":3}]"));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBe(["{\"n\":1}", "{\"model\":\"m\",\"done\":true}"]);

        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Classify_replaces_the_conventions()
    {
        await using var server = ScriptedServer.Start(Answer(Done), Answer("\"bye\""));
        await using var probe = For(server, options => options with
        {
            Classify = static (in StreamMessage message) =>
                message.Data.Span.SequenceEqual("\"bye\""u8) ? StreamSignal.Completed : StreamSignal.None,
        });

        (await probe.ReadTextsAsync()).ShouldBe([Done]);
    }

    [Fact]
    public async Task Each_poll_asks_for_what_follows_the_last_id()
    {
        await using var server = ScriptedServer.Start(
            Answer(Envelopes(1, 2), "application/x-ndjson", SpeaksPerennial),
            exchange => exchange.RespondAsync(204, "", SpeaksPerennial),
            Answer("[{\"id\":\"3\",\"data\":{\"done\":true}},{\"data\":\"?\"}]", "application/json", SpeaksPerennial),
            Answer("{\"id\":\"9\"}", "application/json", SpeaksPerennial),
            Answer("{\"id\":\"10\",\"type\":\"perennial.completed\"}", "application/json", SpeaksPerennial));
        await using var probe = For(server, options => options with { LastEventId = "0" });

        (await probe.ReadToEndAsync())
            .Select(message => (message.Id, message.Text))
            .ShouldBe([("1", "1"), ("2", "2"), ("3", "{\"done\":true}"), (null, "?")]);

        server.Requests.Select(request => request.Header("Last-Event-ID")).ShouldBe(["0", "2", "2", "3", "9"]);
        probe.Transport.LastEventId.ShouldBe("10");
    }

    [Theory]
    [InlineData("completed", StreamEndReason.Completed)]
    [InlineData("stopped", StreamEndReason.Stopped)]
    public async Task No_content_with_a_status_ends_the_stream_as_it_says(string status, StreamEndReason reason)
    {
        await using var server = ScriptedServer.Start(
            exchange => exchange.RespondAsync(204, "", ("Perennial-Status", "running")),
            exchange => exchange.RespondAsync(204, "", ("Perennial-Status", status)));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBeEmpty();

        (await probe.Transport.Completion).Reason.ShouldBe(reason);
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task No_content_with_the_status_of_a_failure_is_a_failure()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(204, "", ("Perennial-Status", "failed")));
        await using var probe = For(server);

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.ServerFailed);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_asked_for_again()
    {
        await using var server = ScriptedServer.Start(
            Answer(Envelopes(1), "application/x-ndjson", SpeaksPerennial),
            Body("application/x-ndjson", Envelopes(2) + "{\"id\":\"3\"", Ending.Reset, SpeaksPerennial),
            Body("application/json", "[{\"id\":\"3\",\"data\":\"3\"}", Ending.Closed, SpeaksPerennial),
            Answer(Envelopes(3) + "{\"type\":\"perennial.completed\"}", "application/x-ndjson", SpeaksPerennial));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2", "3"]);

        server.Requests.Select(request => request.Header("Last-Event-ID")).ShouldBe([null, "1", "2", "2"]);
        probe.All<ErrorEvent>()
            .Select(error => error.Code)
            .ShouldBe([TransportErrorCode.ConnectionLost, TransportErrorCode.ConnectionLost]);
    }

    [Fact]
    public async Task Without_ids_a_failed_poll_is_a_gap()
    {
        await using var server = ScriptedServer.Start(Answer("{\"n\":1}"), SseScripts.ResetUnanswered, Answer("{\"n\":2}"), Answer(Done));
        await using var probe = For(server);

        (await probe.ReadToEndAsync()).Select(message => message.FollowsGap).ShouldBe([false, true]);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("text/event-stream")]
    public async Task An_answer_of_another_type_is_refused(string contentType)
    {
        await using var server = ScriptedServer.Start(Answer("{\"n\":1}"), Answer("<html>", contentType));
        await using var probe = For(server);

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBe(["{\"n\":1}"]);
        error.Code.ShouldBe(TransportErrorCode.UnexpectedContentType);
        server.Requests.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    public async Task An_answer_that_is_too_large_ends_the_stream(string contentType)
    {
        await using var server =
            ScriptedServer.Start(Answer($"\"{new string('x', 98)}\"", contentType), Answer($"\"{new string('x', 99)}\"", contentType));
        await using var probe = For(server, options => options with { MaxMessageBytes = 100 });

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldHaveSingleItem().Length.ShouldBe(100);
        error.Code.ShouldBe(TransportErrorCode.MessageTooLarge);
    }

    [Fact]
    public async Task An_answer_without_end_is_read_as_it_comes_and_held_back_by_a_full_buffer()
    {
        var written = 0L;
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartChunkedAsync("application/x-ndjson");
            var line = $"\"{new string('x', 4000)}\"\n";
            while (true)
            {
                await exchange.WriteChunkAsync(line);
                Volatile.Write(ref written, exchange.BytesWritten);
            }
        });
        await using var probe = For(server, options => options with { Buffer = new BufferOptions { Capacity = 10 } });
        await probe.Transport.ConnectAsync(probe.Token);

        var stoodStillAt = await Patience.UntilStill(() => Volatile.Read(ref written));

        (await probe.ReadTextsAsync(5000)).ShouldAllBe(text => text.Length == 4002);
        Volatile.Read(ref written).ShouldBeGreaterThan(stoodStillAt);
    }

    [Fact]
    public async Task Messages_are_sent_by_post_while_a_poll_waits()
    {
        var sent = new TaskCompletionSource<string>();
        var confirmed = new TaskCompletionSource();     // a stream that ends first leaves open what became of the message
        await using var server = ScriptedServer.Start(async exchange =>
        {
            if (string.Equals(exchange.Request.Method, "POST", StringComparison.Ordinal))
            {
                await exchange.RespondAsync(202);
                sent.SetResult(exchange.Request.Text);
            }
            else if (exchange.Request.RequestIndex == 0)
            {
                await exchange.RespondAsync(204);
            }
            else if (exchange.Request.RequestIndex == 1)
            {
                await exchange.RespondAsync(
                    200, $"[\"{await sent.Task.WaitAsync(exchange.Stopping)}\"]", ("Content-Type", "application/json"));
            }
            else
            {
                await confirmed.Task.WaitAsync(exchange.Stopping);
                await exchange.RespondAsync(200, $"[{Done}]", ("Content-Type", "application/json"));
            }
        });
        await using var probe = For(server);
        await probe.Transport.ConnectAsync(probe.Token);
        await server.WaitForRequestsAsync(2, probe.Token);

        (await probe.Transport.SendAsync("hello", probe.Token)).ShouldBe(SendOutcome.Acknowledged);
        confirmed.SetResult();

        (await probe.ReadTextsAsync()).ShouldBe(["\"hello\""]);
    }

    [Fact]
    public void Contradictions_are_refused_by_name()
    {
        var options = new LongPollTransportOptions { Endpoint = new Uri("http://poll.test/") };

        Refused(options with { Method = HttpMethod.Post }).ShouldBe("Method");
        Refused(options with { Interval = TimeSpan.FromMinutes(2) }).ShouldBe("Interval");
        Refused(options with { Interval = TimeSpan.FromSeconds(2), IdleTimeout = TimeSpan.FromSeconds(2) }).ShouldBe("IdleTimeout");
        (options with { Interval = TimeSpan.FromSeconds(2), IdleTimeout = Timeout.InfiniteTimeSpan }).Validate();

        static string? Refused(LongPollTransportOptions these) =>
            Should.Throw<ArgumentException>(() => new LongPollTransport(these)).ParamName;
    }

    private static TransportProbe For(ScriptedServer server, Func<LongPollTransportOptions, LongPollTransportOptions>? change = null)
    {
        var options =
            new LongPollTransportOptions { Endpoint = server.Address, Interval = TimeSpan.Zero, Reconnect = TransportProbe.AtOnce };
        return new TransportProbe(new LongPollTransport(change?.Invoke(options) ?? options));
    }
}
