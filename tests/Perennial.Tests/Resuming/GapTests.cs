using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Resuming;

/// <summary>Where the server cannot resume exactly, the reader is told before the next message.</summary>
public class GapTests
{
    [Fact]
    public async Task A_server_without_ids_leaves_a_gap_after_every_reconnect()
    {
        await using var server = ScriptedServer.Start(Stream("data: a\n\n", Ending.Reset), Stream("data: b\n\ndata: c\n\n"));
        await using var probe = TransportProbe.For(server.Address);

        var messages = await probe.ReadToEndAsync();

        messages.Select(message => (message.Text, message.FollowsGap)).ShouldBe([("a", false), ("b", true), ("c", false)]);
        probe.All<GapEvent>().ShouldBe([new GapEvent(GapReason.NotNumbered, null, null)]);
    }

    [Fact]
    public async Task A_gap_is_announced_once_however_many_connections_it_takes_to_get_past_it()
    {
        await using var server = ScriptedServer.Start(
            Stream("data: a\n\n", Ending.Reset), Stream("", Ending.Reset), Stream("data: half", Ending.Reset), Stream("data: b\n\n"));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadToEndAsync()).Select(message => (message.Text, message.FollowsGap)).ShouldBe([("a", false), ("b", true)]);

        probe.All<GapEvent>().Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_id_without_data_does_not_cover_the_message_behind_it_however_they_arrive()
    {
        await using var server = ScriptedServer.Start(
            Stream("id: 5\n\ndata: x\n\n", Ending.Reset), Stream("data: x\n\n"));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadToEndAsync()).Select(message => (message.Text, message.FollowsGap)).ShouldBe([("x", false), ("x", true)]);

        server.Requests[1].Header("Last-Event-ID").ShouldBe("5");
        probe.All<GapEvent>().ShouldBe([new GapEvent(GapReason.NotNumbered, "5", null)]);
    }

    [Fact]
    public async Task The_gap_is_announced_before_the_message_that_follows_it()
    {
        await using var server = ScriptedServer.Start(Stream("data: a\n\n", Ending.Reset), Stream("data: b\n\n"));
        await using var probe = TransportProbe.For(server.Address);
        var story = new List<string>();
        var closed = new TaskCompletionSource();
        probe.Transport.MessageReceived += (_, message) => story.Add(message.Text);
        probe.Transport.GapDetected += (_, _) => story.Add("gap");
        probe.Transport.Closed += (_, _) => closed.SetResult();

        await probe.Transport.ConnectAsync(probe.Token);
        await closed.Task.WaitAsync(probe.Token);

        story.ShouldBe(["a", "gap", "b"]);
    }

    [Fact]
    public async Task A_message_without_an_id_after_one_with_an_id_cannot_be_resumed_exactly()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1) + "data: x\n\n", Ending.Reset), Stream("data: x\n\n" + Events(2)));
        await using var probe = TransportProbe.For(server.Address);

        var messages = await probe.ReadToEndAsync();

        messages.Select(message => (message.Text, message.FollowsGap)).ShouldBe([("1", false), ("x", false), ("x", true), ("2", false)]);
        probe.All<GapEvent>().ShouldBe([new GapEvent(GapReason.NotNumbered, "1", null)]);
    }

    [Fact]
    public async Task A_connection_that_died_before_any_message_leaves_no_gap()
    {
        await using var server = ScriptedServer.Start(Stream(": hello\n\n", Ending.Reset), Stream("data: a\n\n"));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadToEndAsync()).ShouldHaveSingleItem().FollowsGap.ShouldBeFalse();

        probe.All<GapEvent>().ShouldBeEmpty();
    }
}
