using Perennial.Auto;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using Perennial.Tests.WebSockets;
using static Perennial.Tests.Support.BodyScripts;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Auto;

/// <summary>Proxies that accept and then let nothing through: found by what the server promised, and by nothing else.</summary>
public class BufferingTests
{
    private static readonly TimeSpan Share = new AutoTransportOptions { Endpoint = new Uri("http://x/") }.AttemptTimeout;

    private static readonly Func<ScriptedExchange, Task> HeldBack = Stream("", Ending.Silence, SpeaksPerennial);

    [Fact]
    public async Task A_handshake_without_an_answer_is_left_after_its_time()
    {
        var time = new ManualTimeProvider();
        await using var server = new FormServer { WebSocket = NeverAnswer, Stream = Stream(Events(1)) }.Start();
        await using var auto = new AutoProbe(server, time: time);
        var reading = auto.Probe.ReadTextsAsync();

        await server.WaitForRequestsAsync(1, auto.Probe.Token);
        await time.WaitForTimerAsync(Share, auto.Probe.Token);
        time.Advance(Share);

        (await reading).ShouldBe(["1"]);
        auto.LoggedReasons.ShouldBe(["WebSocket TimedOut"]);
    }

    [Fact]
    public async Task A_proxy_that_holds_back_whole_answers_leaves_polling()
    {
        var time = new ManualTimeProvider();
        await using var server = new FormServer { Stream = NeverAnswer, Poll = Answer("{\"type\":\"done\"}") }.Start();
        await using var auto = new AutoProbe(server, time: time);
        var reading = auto.Probe.ReadTextsAsync();

        await server.WaitForRequestsAsync(2, auto.Probe.Token);
        await time.WaitForTimerAsync(Share, auto.Probe.Token);
        time.Advance(Share);

        (await reading).ShouldBeEmpty();
        server.Forms().ShouldBe(["websocket", "stream", "poll"]);
        auto.LoggedReasons.ShouldBe(["WebSocket Refused", "Sse TimedOut", "HttpStream TimedOut"]);
    }

    [Fact]
    public async Task A_proxy_that_holds_back_the_events_of_a_server_that_speaks_first_is_found_before_there_is_a_connection()
    {
        var time = new ManualTimeProvider();
        using var http = new ReadWatch();
        await using var server = new FormServer
        {
            Stream = HeldBack,
            Lines = Lines(Envelopes(1) + """{"type":"perennial.completed","data":"[DONE]"}""" + "\n", Ending.InGoodOrder, SpeaksPerennial),
        }.Start();
        await using var auto = new AutoProbe(server, time: time, http: http);
        var reading = auto.Probe.ReadTextsAsync();

        await http.WaitForNextAsync(auto.Probe.Token);
        time.Advance(Share);

        (await reading).ShouldBe(["1"]);
        server.Forms().ShouldBe(["websocket", "stream", "lines"]);
        auto.Transport.Protocol.ShouldBe(AutoProtocol.HttpStream);
        auto.LoggedReasons.ShouldBe(["WebSocket Refused", "Sse Silent"]);
        auto.Probe.All<ConnectedEvent>().Count.ShouldBe(1);
        auto.Probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_proxy_that_holds_back_both_streams_leaves_polling_within_the_time_to_connect()
    {
        var time = new ManualTimeProvider();
        using var http = new ReadWatch();
        await using var server = new FormServer
        {
            WebSocket = NeverAnswer,
            Stream = HeldBack,
            Lines = Lines("", Ending.Silence, SpeaksPerennial),
            Poll = Answer("{\"type\":\"perennial.completed\"}", "application/json", SpeaksPerennial),
        }.Start();
        await using var auto =
            new AutoProbe(server, static options => options with { ConnectTimeout = TimeSpan.FromSeconds(10) }, time, http: http);
        var reading = auto.Probe.ReadTextsAsync();

        await server.WaitForRequestsAsync(1, auto.Probe.Token);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(2), auto.Probe.Token);    // a fifth of the time there is
        time.Advance(TimeSpan.FromSeconds(2));
        for (var stream = 0; stream < 2; stream++)
        {
            await http.WaitForNextAsync(auto.Probe.Token);
            time.Advance(TimeSpan.FromSeconds(2));
        }

        (await reading).ShouldBeEmpty();
        auto.LoggedReasons.ShouldBe(["WebSocket TimedOut", "Sse Silent", "HttpStream Silent"]);
        auto.Probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task The_first_bytes_are_enough()
    {
        var time = new ManualTimeProvider();
        await using var server = new FormServer { Stream = Stream(":\n", Ending.Silence, SpeaksPerennial) }.Start();
        await using var auto = new AutoProbe(server, time: time);

        await auto.Transport.ConnectAsync(auto.Probe.Token);
        time.Advance(TimeSpan.FromMinutes(1));

        auto.Transport.State.ShouldBe(TransportState.Connected);
        auto.LoggedReasons.ShouldBe(["WebSocket Refused"]);
    }

    [Fact]
    public async Task What_comes_with_the_first_bytes_is_delivered_once_and_counted()
    {
        var body = "retry: 0\n\n" + Events(1, 2) + "event: perennial.completed\ndata: [DONE]\n\n";
        await using var server = new FormServer { Stream = Stream(body, Ending.InGoodOrder, SpeaksPerennial) }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        auto.Transport.LastEventId.ShouldBe("2");
        auto.Transport.GetMetrics().BytesReceived.ShouldBe(body.Length);
    }

    [Fact]
    public async Task A_response_that_ends_before_the_first_byte_it_promised_is_no_connection()
    {
        await using var server = new FormServer
        {
            Stream = Stream("", Ending.InGoodOrder, SpeaksPerennial),
            Lines = Lines("""{"type":"perennial.completed"}""" + "\n", Ending.InGoodOrder, SpeaksPerennial),
        }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBeEmpty();

        auto.LoggedReasons.ShouldBe(["WebSocket Refused", "Sse Lost"]);
        auto.Probe.All<ConnectedEvent>().Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_only_announces_heartbeats_is_given_up_when_they_are_overdue()
    {
        var time = new ManualTimeProvider();
        await using var server = new FormServer { Stream = Stream("", Ending.Silence, ("Perennial-Heartbeat", "10")), Lines = Lines("{\"type\":\"done\"}\n") }.Start();
        await using var auto = new AutoProbe(server, Patient, time);
        var reading = auto.Probe.ReadTextsAsync();

        await AdvanceUntilLostAsync(auto, time);

        (await reading).ShouldBeEmpty();
        server.Forms().ShouldBe(["websocket", "stream", "websocket", "lines"]);
        auto.LoggedReasons.ShouldBe(["WebSocket Refused", "Sse Silent", "WebSocket Refused"]);
        auto.Reasons.ShouldBe([(AutoProtocol.Sse, FallbackReason.Silent), (AutoProtocol.WebSocket, FallbackReason.Refused)]);
    }

    [Fact]
    public async Task A_WebSocket_that_answers_no_ping_is_given_up()
    {
        var time = new ManualTimeProvider();
        await using var server = new FormServer { WebSocket = ServerSocket.Script(static socket => socket.WaitForClientCloseAsync()), Stream = Stream(Events(1)) }.Start();
        await using var auto = new AutoProbe(server, Patient, time);
        var reading = auto.Probe.ReadTextsAsync();

        await AdvanceUntilLostAsync(auto, time);

        (await reading).ShouldBe(["1"]);
        auto.LoggedReasons.ShouldBe(["WebSocket Silent"]);
    }

    [Fact]
    public async Task A_server_that_promises_nothing_may_be_silent()
    {
        var time = new ManualTimeProvider();
        await using var server = new FormServer { Stream = Stream("", Ending.Silence) }.Start();
        await using var auto = new AutoProbe(server, time: time);

        await auto.Transport.ConnectAsync(auto.Probe.Token);
        time.Advance(TimeSpan.FromMinutes(4));

        auto.Transport.State.ShouldBe(TransportState.Connected);
        server.Forms().ShouldBe(["websocket", "stream"]);
    }

    /// <summary>Attempts have all the time there is, however far the clock is ahead when the loss is noticed.</summary>
    private static AutoTransportOptions Patient(AutoTransportOptions options) =>
        options with { AttemptTimeout = TimeSpan.FromMinutes(10), ConnectTimeout = TimeSpan.FromHours(1) };

    private static async Task AdvanceUntilLostAsync(AutoProbe auto, ManualTimeProvider time)
    {
        await auto.Probe.WaitForAsync<ConnectedEvent>();
        await Patience.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return auto.Probe.All<ReconnectingEvent>().Count > 0;
            },
            "the connection counts as lost");
    }
}
