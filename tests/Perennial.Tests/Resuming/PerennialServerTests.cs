using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Resuming;

/// <summary>What a server that announces Perennial's protocol says besides messages.</summary>
public class PerennialServerTests
{
    private static readonly (string, string) Announcement = ("Perennial-Protocol", "1");

    [Fact]
    public async Task Its_gap_is_announced_and_marks_the_next_message()
    {
        await using var server = ScriptedServer.Start(
            Stream(Events(1), Ending.Reset, Announcement),
            Stream(
                "event: perennial.gap\ndata: {\"requested\":\"1\",\"resumesAt\":\"7\"}\n\n" + Events(7) + Completed,
                Ending.InGoodOrder,
                Announcement));
        await using var probe = TransportProbe.For(server.Address);

        var messages = await probe.ReadToEndAsync();

        messages.Select(message => (message.Text, message.FollowsGap)).ShouldBe([("1", false), ("7", true)]);
        probe.All<GapEvent>().ShouldBe([new GapEvent { Reason = GapReason.AnnouncedByServer, RequestedId = "1", ResumesAt = "7" }]);
    }

    [Fact]
    public async Task Its_gap_is_not_forgotten_when_the_line_breaks_before_the_next_message()
    {
        await using var server = ScriptedServer.Start(
            Stream("id: 6\nevent: perennial.gap\ndata: {\"resumesAt\":\"7\"}\n\n", Ending.Reset, Announcement),
            Stream(Events(7) + Completed, Ending.InGoodOrder, Announcement));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadToEndAsync()).ShouldHaveSingleItem().FollowsGap.ShouldBeTrue();

        server.Requests[1].Header("Last-Event-ID").ShouldBe("6");
    }

    [Theory]
    [InlineData("perennial.completed", StreamEndReason.Completed)]
    [InlineData("perennial.stopped", StreamEndReason.Stopped)]
    public async Task Its_end_event_says_how_the_stream_ended(string eventType, StreamEndReason reason)
    {
        await using var server =
            ScriptedServer.Start(Stream(Events(1) + $"event: {eventType}\ndata: {{}}\n\n", Ending.Silence, Announcement));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        (await probe.Transport.Completion).ShouldBe(new StreamEnd { Reason = reason });
        (await probe.WaitForAsync<CompletedEvent>()).End.Reason.ShouldBe(reason);
        probe.Transport.State.ShouldBe(TransportState.Closed);
    }

    [Fact]
    public async Task Its_failure_fails_the_stream_with_the_servers_own_code()
    {
        await using var server = ScriptedServer.Start(Stream(
            Events(1) + "event: perennial.failed\ndata: {\"error\":{\"message\":\"The model is overloaded.\",\"code\":\"overloaded\"}}\n\n",
            Ending.Silence,
            Announcement));
        await using var probe = TransportProbe.For(server.Address);

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBe(["1"]);
        (error.Code, error.ServerCode, error.ServerMessage).ShouldBe(
            (TransportErrorCode.ServerFailed, "overloaded", "The model is overloaded."));
        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Failed);
        probe.Transport.State.ShouldBe(TransportState.Failed);
        server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("completed", StreamEndReason.Completed)]
    [InlineData("stopped", StreamEndReason.Stopped)]
    [InlineData("failed", StreamEndReason.Failed)]
    public async Task Nothing_more_to_say_is_told_from_how_it_ended(string status, StreamEndReason reason)
    {
        await using var server = ScriptedServer.Start(Status(204, Announcement, ("Perennial-Status", status)));
        await using var probe = TransportProbe.For(server.Address);
        await probe.Transport.ConnectAsync(probe.Token);

        (await probe.Transport.Completion.WaitAsync(probe.Token)).Reason.ShouldBe(reason);
    }

    [Fact]
    public async Task An_end_in_good_order_without_its_end_event_is_a_lost_connection()
    {
        await using var server = ScriptedServer.Start(
            Stream(Events(1), Ending.InGoodOrder, Announcement),
            Stream(Events(2) + Completed, Ending.InGoodOrder, Announcement));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.EndedWithoutMarker);
        server.Requests[1].Header("Last-Event-ID").ShouldBe("1");
    }

    [Fact]
    public async Task Events_of_its_own_that_this_version_does_not_know_are_not_delivered()
    {
        await using var server = ScriptedServer.Start(Stream(
            "event: perennial.news\ndata: ?\n\n" + Events(1) + Completed, Ending.InGoodOrder, Announcement));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);
    }

    [Fact]
    public async Task Another_server_may_use_the_same_event_names_for_its_messages()
    {
        await using var server = ScriptedServer.Start(Stream("event: perennial.completed\ndata: a\n\n" + Events(1)));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["a", "1"]);
    }

    private const string Completed = "event: perennial.completed\ndata: {}\n\n";
}
