using Perennial.HttpStreams;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.BodyScripts;

namespace Perennial.Tests.HttpStreams;

/// <summary>When polls are made, how long they may wait, and what ends the wait.</summary>
public class LongPollTimingTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public async Task Polls_are_never_made_faster_than_the_interval()
    {
        await using var server = ScriptedServer.Start(SseScripts.Status(204), Answer("{\"n\":1}"), Answer("[]"), SseScripts.Status(204));
        await using var probe = For(server);
        await probe.Transport.ConnectAsync(probe.Token);

        for (var polls = 1; polls <= 6; polls++)
        {
            await _clock.WaitForTimerAsync(Interval, probe.Token);
            server.Requests.Count.ShouldBe(polls);
            _clock.Advance(Interval - TimeSpan.FromTicks(1));
            _clock.NextDue.ShouldBe(TimeSpan.FromTicks(1));
            _clock.Advance(TimeSpan.FromTicks(1));
            await server.WaitForRequestsAsync(polls + 1, probe.Token);
        }
    }

    [Fact]
    public async Task A_poll_that_was_held_longer_than_the_interval_is_followed_by_the_next_at_once()
    {
        var release = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(
            SseScripts.Status(204),
            async exchange =>
            {
                await release.Task.WaitAsync(exchange.Stopping);
                await exchange.RespondAsync(204);
            },
            SseScripts.NeverAnswer);
        await using var probe = For(server);
        await probe.Transport.ConnectAsync(probe.Token);
        await NextPollAsync(server, probe, 2);

        _clock.Advance(Interval);
        release.SetResult();

        await server.WaitForRequestsAsync(3, probe.Token);
    }

    [Fact]
    public async Task Errors_are_followed_by_the_reconnect_delay_and_the_cursor_stays()
    {
        await using var server = ScriptedServer.Start(
            Answer(Envelopes(1), "application/x-ndjson", SpeaksPerennial),
            SseScripts.Status(503),
            SseScripts.Status(503),
            Answer(Envelopes(2), "application/x-ndjson", SpeaksPerennial),
            SseScripts.NeverAnswer);
        await using var probe = For(server);
        (await probe.ReadTextsAsync(1)).ShouldBe(["1"]);
        await server.WaitForRequestsAsync(2, probe.Token);

        foreach (var (attempt, delay) in new[] { (1, 1), (2, 2) })
        {
            (await probe.WaitForAsync<ReconnectingEvent>(attempt)).Delay.ShouldBe(TimeSpan.FromSeconds(delay));
            await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(delay), probe.Token);
            _clock.Advance(TimeSpan.FromSeconds(delay));
        }

        (await probe.ReadTextsAsync(1)).ShouldBe(["2"]);
        server.Requests.Take(4).Select(request => request.Header("Last-Event-ID")).ShouldBe([null, "1", "1", "1"]);
    }

    [Fact]
    public async Task A_first_poll_that_is_held_counts_as_connected_after_half_the_time_to_connect()
    {
        var release = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(
            async exchange =>
            {
                await release.Task.WaitAsync(exchange.Stopping);
                await Answer("{\"n\":1}")(exchange);
            },
            SseScripts.NeverAnswer);
        await using var probe = For(server);
        var connecting = probe.Transport.ConnectAsync(probe.Token);
        await server.WaitForRequestsAsync(1, probe.Token);
        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(15), probe.Token);

        _clock.Advance(TimeSpan.FromSeconds(15) - TimeSpan.FromTicks(1));
        connecting.IsCompleted.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromTicks(1));

        await connecting;
        release.SetResult();
        (await probe.ReadTextsAsync(1)).ShouldBe(["{\"n\":1}"]);
        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Leaving_ends_a_waiting_poll_at_once(bool byDispose)
    {
        var gone = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(SseScripts.Status(204), HoldUntilGone(gone));
        await using var probe = For(server);
        await probe.Transport.ConnectAsync(probe.Token);
        await NextPollAsync(server, probe, 2);

        await (byDispose ? probe.Transport.DisposeAsync() : new ValueTask(probe.Transport.CloseAsync(probe.Token)));

        await gone.Task.Soon();
        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Closed);
    }

    [Fact]
    public async Task Giving_up_to_connect_ends_the_first_poll_at_once()
    {
        var gone = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(HoldUntilGone(gone));
        await using var probe = For(server);
        var connecting = probe.Transport.ConnectAsync(probe.Token);
        await server.WaitForRequestsAsync(1, probe.Token);

        await probe.Transport.CloseAsync(probe.Token);

        await gone.Task.Soon();
        await Should.ThrowAsync<Exception>(connecting);
    }

    [Fact]
    public async Task Leaving_ends_the_wait_between_polls_at_once()
    {
        await using var server = ScriptedServer.Start(SseScripts.Status(204));
        await using var probe = For(server);
        await probe.Transport.ConnectAsync(probe.Token);
        await _clock.WaitForTimerAsync(Interval, probe.Token);

        await probe.Transport.CloseAsync(probe.Token).Soon();

        server.Requests.Count.ShouldBe(1);
        _clock.ActiveTimers.ShouldBe(0);
    }

    [Fact]
    public async Task A_pause_stops_the_polling()
    {
        await using var server =
            ScriptedServer.Start(Answer("{\"n\":1}"), Answer("{\"n\":2}"), Answer("{\"n\":3}"), SseScripts.NeverAnswer);
        await using var probe = For(server);
        (await probe.ReadTextsAsync(1)).ShouldBe(["{\"n\":1}"]);
        await _clock.WaitForTimerAsync(Interval, probe.Token);

        probe.Transport.Pause();
        _clock.Advance(TimeSpan.FromMinutes(2));
        await server.WaitForRequestsAsync(2, probe.Token);      // the one that was already due
        await Patience.UntilStill(() => probe.Transport.GetMetrics().BytesReceived);
        _clock.Advance(TimeSpan.FromMinutes(30));
        (await Patience.UntilStill(() => server.Requests.Count)).ShouldBe(2);

        probe.Transport.Resume();
        (await probe.ReadTextsAsync(2)).ShouldBe(["{\"n\":2}", "{\"n\":3}"]);
        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_poll_held_longer_than_the_idle_timeout_is_a_lost_connection()
    {
        await using var server = ScriptedServer.Start(
            Answer(Envelopes(1), "application/x-ndjson", SpeaksPerennial),
            SseScripts.NeverAnswer,
            Answer(Envelopes(2), "application/x-ndjson", SpeaksPerennial),
            SseScripts.NeverAnswer);
        await using var probe = For(server, options => options with { IdleTimeout = TimeSpan.FromSeconds(60) });
        (await probe.ReadTextsAsync(1)).ShouldBe(["1"]);
        await server.WaitForRequestsAsync(2, probe.Token);

        _clock.Advance(TimeSpan.FromSeconds(60));

        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.IdleTimeout);
        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(1), probe.Token);
        _clock.Advance(TimeSpan.FromSeconds(1));
        (await probe.ReadTextsAsync(1)).ShouldBe(["2"]);
    }

    [Fact]
    public async Task The_first_poll_asks_for_an_answer_at_once_and_the_next_follows_at_once_to_be_held()
    {
        await using var server = ScriptedServer.Start(Answer("[]", "application/json", SpeaksPerennial), SseScripts.NeverAnswer);
        await using var probe = For(server);

        await probe.Transport.ConnectAsync(probe.Token);

        await server.WaitForRequestsAsync(2, probe.Token);
        server.Requests.Select(request => request.Header("Prefer")).ShouldBe(["wait=0", null]);
    }

    [Fact]
    public async Task A_poll_held_three_times_as_long_as_the_server_says_is_a_lost_connection()
    {
        await using var server = ScriptedServer.Start(
            Answer("[]", "application/json", SpeaksPerennial, ("Perennial-Heartbeat", "20")),
            SseScripts.NeverAnswer,
            SseScripts.NeverAnswer);
        await using var probe = For(server);
        await probe.Transport.ConnectAsync(probe.Token);
        await server.WaitForRequestsAsync(2, probe.Token);
        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(60), probe.Token);

        _clock.Advance(TimeSpan.FromSeconds(60));

        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.IdleTimeout);
    }

    [Fact]
    public async Task The_wait_between_polls_is_no_silence_of_the_peer()
    {
        await using var server = ScriptedServer.Start(SseScripts.Status(204), SseScripts.NeverAnswer);
        await using var probe =
            For(server, options => options with { Interval = TimeSpan.FromSeconds(50), IdleTimeout = TimeSpan.FromSeconds(60) });
        await probe.Transport.ConnectAsync(probe.Token);
        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(50), probe.Token);
        _clock.Advance(TimeSpan.FromSeconds(50));
        await server.WaitForRequestsAsync(2, probe.Token);

        _clock.Advance(TimeSpan.FromSeconds(59));

        _clock.NextDue.ShouldBe(TimeSpan.FromSeconds(1));
        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    private static Func<ScriptedExchange, Task> HoldUntilGone(TaskCompletionSource gone) => async exchange =>
    {
        await exchange.WaitForClientCloseAsync(exchange.Stopping);
        gone.SetResult();
    };

    private async Task NextPollAsync(ScriptedServer server, TransportProbe probe, int number)
    {
        await _clock.WaitForTimerAsync(Interval, probe.Token);
        _clock.Advance(Interval);
        await server.WaitForRequestsAsync(number, probe.Token);
    }

    private TransportProbe For(ScriptedServer server, Func<LongPollTransportOptions, LongPollTransportOptions>? change = null)
    {
        var options =
            new LongPollTransportOptions { Endpoint = server.Address, Interval = Interval, Reconnect = TransportProbe.WithoutJitter };
        return new TransportProbe(new LongPollTransport(change?.Invoke(options) ?? options, new TransportServices { Time = _clock }));
    }
}
