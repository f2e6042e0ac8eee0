using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Resuming;

/// <summary>What it means that a response ended in good order.</summary>
public class EndOfStreamTests
{
    private const string Done = "data: [DONE]\n\n";

    [Fact]
    public async Task By_default_the_end_of_the_response_is_the_end_of_the_stream()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1)));
        await using var probe = For(server, EndOfStreamPolicy.Complete);

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        (await probe.Transport.Completion).ShouldBe(new StreamEnd { Reason = StreamEndReason.Completed });
        probe.Transport.State.ShouldBe(TransportState.Closed);
        server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(EndOfStreamPolicy.RequireMarker)]
    [InlineData(EndOfStreamPolicy.Reconnect)]
    public async Task Where_more_is_expected_an_end_without_marker_is_a_lost_connection(EndOfStreamPolicy policy)
    {
        await using var server = ScriptedServer.Start(Stream(Events(1)), Stream(Events(2) + Done));
        await using var probe = For(server, policy);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.EndedWithoutMarker);
        server.Requests.Select(request => request.Header("Last-Event-ID")).ShouldBe([null, "1"]);
        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Completed);
    }

    [Theory]
    [InlineData(EndOfStreamPolicy.Complete)]
    [InlineData(EndOfStreamPolicy.RequireMarker)]
    [InlineData(EndOfStreamPolicy.Reconnect)]
    public async Task The_marker_ends_the_stream_under_every_policy_although_the_connection_stays(EndOfStreamPolicy policy)
    {
        await using var server = ScriptedServer.Start(Stream(Events(1) + Done, Ending.Silence));
        await using var probe = For(server, policy);

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Completed);
        server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(EndOfStreamPolicy.Complete)]
    [InlineData(EndOfStreamPolicy.RequireMarker)]
    [InlineData(EndOfStreamPolicy.Reconnect)]
    public async Task No_content_ends_the_stream_for_good_under_every_policy(EndOfStreamPolicy policy)
    {
        await using var server = ScriptedServer.Start(Stream(Events(1), Ending.Reset), Status(204));
        await using var probe = For(server, policy);

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Completed);
        server.Requests.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(EndOfStreamPolicy.Complete)]
    [InlineData(EndOfStreamPolicy.RequireMarker)]
    public async Task An_event_called_done_is_an_event(EndOfStreamPolicy policy)
    {
        await using var server = ScriptedServer.Start(Stream("event: done\ndata: {}\n\ndata: [DONE] \n\n" + Done, Ending.Silence));
        await using var probe = For(server, policy);

        (await probe.ReadTextsAsync()).ShouldBe(["{}", "[DONE] "]);
    }

    [Fact]
    public async Task A_feed_that_never_ends_is_asked_for_more_as_long_as_it_brings_news()
    {
        var rounds = Enumerable.Range(1, 12).Select(i => Stream(Events(i))).ToArray();
        await using var server = ScriptedServer.Start([.. rounds, Status(204)]);
        await using var probe = For(server, EndOfStreamPolicy.Reconnect);

        (await probe.ReadTextsAsync()).ShouldBe([.. Enumerable.Range(1, 12).Select(i => $"{i}")]);

        server.Requests.Count.ShouldBe(13);
        probe.All<ReconnectingEvent>().ShouldAllBe(reconnecting => reconnecting.Attempt == 1);
    }

    private static TransportProbe For(ScriptedServer server, EndOfStreamPolicy policy) =>
        new(new SseTransportOptions { Endpoint = server.Address, EndOfStream = policy, Reconnect = TransportProbe.AtOnce });
}
