using System.Globalization;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
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
        probe.All<GapEvent>().ShouldBe([new GapEvent { Reason = GapReason.NotNumbered, RequestedId = null, ResumesAt = null }]);
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
        probe.All<GapEvent>().ShouldBe([new GapEvent { Reason = GapReason.NotNumbered, RequestedId = "5", ResumesAt = null }]);
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
        probe.All<GapEvent>().ShouldBe([new GapEvent { Reason = GapReason.NotNumbered, RequestedId = "1", ResumesAt = null }]);
    }

    [Fact]
    public async Task A_connection_that_died_before_any_message_leaves_no_gap()
    {
        await using var server = ScriptedServer.Start(Stream(": hello\n\n", Ending.Reset), Stream("data: a\n\n"));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadToEndAsync()).ShouldHaveSingleItem().FollowsGap.ShouldBeFalse();

        probe.All<GapEvent>().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(BufferFullMode.Block)]
    [InlineData(BufferFullMode.DropNewest)]
    public async Task A_gap_announced_while_the_buffer_is_full_marks_the_next_message_that_gets_in(BufferFullMode mode)
    {
        await using var server = ScriptedServer.Start(
            Stream(Events(1) + "event: perennial.gap\nid: 5\ndata: {}\n\n" + Events(6), Ending.Silence, ("Perennial-Protocol", "1")),
            Stream(Events(7), Ending.Silence, ("Perennial-Protocol", "1")));
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = server.Address,
            Reconnect = TransportProbe.AtOnce,
            Buffer = new BufferOptions { Capacity = 1, FullMode = mode },
        });
        await probe.Transport.ConnectAsync(probe.Token);
        await probe.WaitForAsync<GapEvent>();
        await Patience.Until(
            () => mode == BufferFullMode.Block || probe.Transport.GetMetrics().Dropped == 1, "the message behind the gap was dropped");
        await probe.Transport.CloseAsync(probe.Token);

        await using var reading = probe.Transport.ReadAllAsync(probe.Token).GetAsyncEnumerator(probe.Token);
        (await reading.MoveNextAsync()).ShouldBeTrue();
        reading.Current.FollowsGap.ShouldBeFalse();
        await probe.Transport.ConnectAsync(probe.Token);
        (await reading.MoveNextAsync()).ShouldBeTrue();

        (reading.Current.Text, reading.Current.FollowsGap).ShouldBe(("7", true));
        probe.All<GapEvent>().Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(1, false, "9")]
    [InlineData(2, false, "8,9")]
    [InlineData(1, true, "9")]
    [InlineData(2, true, "8,9")]
    public async Task The_mark_of_a_message_that_the_buffer_drops_goes_to_the_next_that_it_keeps(
        int capacity, bool comeOneByOne, string kept)
    {
        const string gap = "event: perennial.gap\nid: 5\ndata: {}\n\n";
        string[] chunks = comeOneByOne
            ? [Events(1) + gap, Events(6), Events(7), Events(8), Events(9)]
            : [Events(1) + gap + Events(6, 7, 8, 9)];
        using var taken = new SemaphoreSlim(0);
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync(BodyScripts.SpeaksPerennial);
            foreach (var chunk in chunks)
            {
                await exchange.WriteChunkAsync(chunk);
                await taken.WaitAsync(exchange.Stopping);
            }
        });
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = server.Address,
            Buffer = new BufferOptions { Capacity = capacity, FullMode = BufferFullMode.DropOldest },
        });
        await probe.Transport.ConnectAsync(probe.Token);
        for (var i = 0; i < chunks.Length; i++)
        {
            await Patience.Until(() => LastId() == 10 - chunks.Length + i, "a chunk has come");
            if (i < chunks.Length - 1)
            {
                taken.Release();
            }
        }

        await probe.Transport.CloseAsync(probe.Token);
        var messages = await probe.ReadToEndAsync();

        messages.Select(message => message.Text).ShouldBe(kept.Split(','));
        messages.Select(message => message.FollowsGap).ShouldBe([true, .. Enumerable.Repeat(false, messages.Count - 1)]);

        int LastId() => int.Parse(probe.Transport.LastEventId ?? "0", CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task An_unnumbered_gap_is_announced_once_although_the_transport_was_closed_with_a_full_buffer()
    {
        await using var server = ScriptedServer.Start(Stream("data: a\n\n", Ending.Reset), Stream("data: b\n\n", Ending.Silence));
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = server.Address,
            Reconnect = TransportProbe.AtOnce,
            Buffer = new BufferOptions { Capacity = 1 },
        });
        await probe.Transport.ConnectAsync(probe.Token);
        await probe.WaitForAsync<GapEvent>();
        await Patience.Until(() => probe.Transport.GetMetrics().BytesReceived == 2 * "data: a\n\n".Length, "b has arrived");
        await probe.Transport.CloseAsync(probe.Token);
        await probe.Transport.ConnectAsync(probe.Token);

        (await probe.ReadTextsAsync(2)).ShouldBe(["a", "b"]);

        probe.All<GapEvent>().Count.ShouldBe(1);
    }
}
