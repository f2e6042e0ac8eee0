using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.BodyScripts;

namespace Perennial.Tests.HttpStreams;

/// <summary>
/// JSON lines from a server that announced Perennial's protocol: exact resumption, honest endings, and the rules of replay.
/// </summary>
public class EnvelopeTests
{
    private const string Completed = "{\"type\":\"perennial.completed\",\"data\":\"[DONE]\"}\n";

    [Fact]
    public async Task A_cut_stream_goes_on_after_the_last_line_that_was_complete()
    {
        await using var server = ScriptedServer.Start(
            Lines(Envelopes(1, 2) + "{\"id\":\"3\",\"da", Ending.Reset, SpeaksPerennial),
            Lines("", Ending.Closed, SpeaksPerennial),
            Lines(Envelopes(3), Ending.InGoodOrder, SpeaksPerennial),
            Lines(Envelopes(4) + Completed, Ending.InGoodOrder, SpeaksPerennial));
        await using var probe = For(server);

        var messages = await probe.ReadToEndAsync();

        messages.Select(message => (message.Id, message.Text)).ShouldBe([("1", "1"), ("2", "2"), ("3", "3"), ("4", "4")]);
        server.Requests.Select(request => request.Header("Last-Event-ID")).ShouldBe([null, "2", "2", "3"]);
        probe.All<ErrorEvent>().Select(error => error.Code).ShouldBe(
            [TransportErrorCode.ConnectionLost, TransportErrorCode.ConnectionLost, TransportErrorCode.EndedWithoutMarker]);
        probe.All<GapEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_line_without_an_id_makes_the_resume_point_inexact_and_the_reader_is_told()
    {
        await using var server = ScriptedServer.Start(
            Lines(Envelopes(1) + "{\"data\":\"?\"}\n", Ending.Reset, SpeaksPerennial),
            Lines(Envelopes(2) + Completed, Ending.InGoodOrder, SpeaksPerennial));
        await using var probe = For(server);

        (await probe.ReadToEndAsync())
            .Select(message => (message.Text, message.FollowsGap))
            .ShouldBe([("1", false), ("?", false), ("2", true)]);

        probe.All<GapEvent>().ShouldBe([new GapEvent { Reason = GapReason.NotNumbered, RequestedId = "1", ResumesAt = null }]);
    }

    [Fact]
    public async Task A_gap_the_server_announces_marks_the_next_message()
    {
        await using var server = ScriptedServer.Start(Lines(
            "{\"type\":\"perennial.gap\",\"data\":{\"requested\":\"d-9\",\"resumesAt\":\"7\"}}\n" + Envelopes(7) + Completed,
            Ending.InGoodOrder,
            SpeaksPerennial));
        await using var probe = For(server, options => options with { LastEventId = "d-9" });

        (await probe.ReadToEndAsync()).ShouldHaveSingleItem().FollowsGap.ShouldBeTrue();

        probe.All<GapEvent>().ShouldBe([new GapEvent { Reason = GapReason.AnnouncedByServer, RequestedId = "d-9", ResumesAt = "7" }]);
        server.Requests[0].Header("Last-Event-ID").ShouldBe("d-9");
    }

    [Fact]
    public async Task The_server_says_when_to_come_back()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(
            Lines("{\"type\":\"perennial.retry\",\"data\":{\"later\":[1],\"delay\":1500}}\n" + Envelopes(1), Ending.Reset, SpeaksPerennial),
            Lines("{\"type\":\"perennial.retry\",\"data\":{\"delay\":\"soon\"}}\n" + Completed, Ending.InGoodOrder, SpeaksPerennial));
        await using var probe =
            For(server, options => options with { Reconnect = TransportProbe.WithoutJitter }, new TransportServices { Time = clock });
        await probe.ReadTextsAsync(1);

        (await probe.WaitForAsync<ReconnectingEvent>()).Delay.ShouldBe(TimeSpan.FromSeconds(1.5));
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(1.5), probe.Token);
        clock.Advance(TimeSpan.FromSeconds(1.5));

        (await probe.ReadTextsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("completed", StreamEndReason.Completed)]
    [InlineData("stopped", StreamEndReason.Stopped)]
    public async Task Its_end_says_how_the_stream_ended(string name, StreamEndReason reason)
    {
        await using var server = ScriptedServer.Start(Lines(Envelopes(1) + $$"""{"type":"perennial.{{name}}"}""" + "\n", Ending.Silence, SpeaksPerennial));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        (await probe.Transport.Completion).Reason.ShouldBe(reason);
    }

    [Fact]
    public async Task Its_failure_fails_the_stream_with_the_servers_own_code()
    {
        await using var server = ScriptedServer.Start(Lines(
            Envelopes(1) + "{\"type\":\"perennial.failed\",\"data\":{\"error\":{\"message\":\"No.\",\"code\":\"overloaded\"}}}\n",
            Ending.Silence,
            SpeaksPerennial));
        await using var probe = For(server);

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBe(["1"]);
        (error.Code, error.ServerCode, error.ServerMessage).ShouldBe((TransportErrorCode.ServerFailed, "overloaded", "No."));
    }

    [Fact]
    public async Task A_line_that_is_no_envelope_is_reported_and_left_out()
    {
        await using var server = ScriptedServer.Start(
            Lines(Envelopes(1) + "{\"token\":\"x\"}\n" + Envelopes(2) + Completed, Ending.InGoodOrder, SpeaksPerennial));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        probe.All<ErrorEvent>().ShouldHaveSingleItem().Code.ShouldBe(TransportErrorCode.InvalidMessage);
    }

    [Fact]
    public async Task Bytes_come_as_binary_messages()
    {
        await using var server =
            ScriptedServer.Start(Lines("{\"id\":\"1\",\"binary\":\"AAH/\"}\n" + Completed, Ending.InGoodOrder, SpeaksPerennial));
        await using var probe = For(server);

        var message = (await probe.ReadToEndAsync()).ShouldHaveSingleItem();

        message.IsBinary.ShouldBeTrue();
        message.Data.ToArray().ShouldBe([0, 1, 255]);
    }

    [Fact]
    public async Task Three_announced_heartbeats_of_silence_are_a_lost_connection()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(
            Lines(Envelopes(1), Ending.Silence, SpeaksPerennial, ("Perennial-Heartbeat", "15")),
            Lines(Envelopes(2) + Completed, Ending.InGoodOrder, SpeaksPerennial));
        await using var probe =
            For(server, options => options with { Reconnect = TransportProbe.WithoutJitter }, new TransportServices { Time = clock });
        await probe.ReadTextsAsync(1);
        var loss = probe.WaitForAsync<ErrorEvent>();

        while (!loss.IsCompleted)
        {
            var isWaiting = clock.WaitForTimerAsync(TimeSpan.FromSeconds(45), probe.Token);
            if (await Task.WhenAny(loss, isWaiting) == isWaiting)
            {
                clock.Advance(TimeSpan.FromSeconds(45));
            }
        }

        (await loss).Code.ShouldBe(TransportErrorCode.IdleTimeout);
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(1), probe.Token);
        clock.Advance(TimeSpan.FromSeconds(1));
        (await probe.ReadTextsAsync()).ShouldBe(["2"]);
    }

    [Fact]
    public async Task A_post_goes_on_by_get_where_its_answer_named_the_stream()
    {
        await using var server = ScriptedServer.Start(
            Lines(Envelopes(1), Ending.Reset, SpeaksPerennial, ("Content-Location", "/streams/7")),
            Lines(Envelopes(2) + Completed, Ending.InGoodOrder, SpeaksPerennial));
        await using var probe = Post(server);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        server.Requests.Select(request => (request.Method, request.Target, request.Text, request.Header("Last-Event-ID")))
            .ShouldBe([("POST", "/", "{}", null), ("GET", "/streams/7", "", "1")]);
        server.Requests[0].Header("Content-Type").ShouldBe("application/json");
    }

    [Fact]
    public async Task A_post_that_is_cut_is_sent_once()
    {
        await using var server = ScriptedServer.Start(Lines(Envelopes(1), Ending.Reset, SpeaksPerennial));
        await using var probe = Post(server);

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.Interrupted);

        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Where_replay_is_allowed_a_post_is_repeated_from_its_last_id_as_often_as_it_takes()
    {
        await using var server = ScriptedServer.Start(
            Lines(Envelopes(1), Ending.Reset, SpeaksPerennial),
            Lines("", Ending.Reset, SpeaksPerennial),
            Lines(Envelopes(2) + Completed, Ending.InGoodOrder, SpeaksPerennial));
        await using var probe = Post(server, allowReplay: true);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        server.Requests.Select(
            request => (request.Method, request.Header("Last-Event-ID"))).ShouldBe([("POST", null), ("POST", "1"), ("POST", "1")]);
    }

    private static TransportProbe Post(ScriptedServer server, bool allowReplay = false) =>
        For(server, options => options with { Body = new RequestBody
        {
            Content = "{}"u8.ToArray(),
            MediaType = "application/json",
        }, AllowReplay = allowReplay });

    private static TransportProbe For(
        ScriptedServer server,
        Func<HttpStreamTransportOptions, HttpStreamTransportOptions>? change = null,
        TransportServices? services = null)
    {
        var options = new HttpStreamTransportOptions { Endpoint = server.Address, Reconnect = TransportProbe.AtOnce };
        return new TransportProbe(new HttpStreamTransport(change?.Invoke(options) ?? options, services));
    }
}
