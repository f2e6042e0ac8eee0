using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Resuming;

/// <summary>A connection that breaks, wherever and however: the next one goes on after the last complete event.</summary>
public class LostConnectionTests
{
    [Theory]
    [InlineData(nameof(Ending.Reset))]
    [InlineData(nameof(Ending.Closed))]
    public async Task Resumes_after_the_last_complete_event_when_the_line_breaks_within_one(string ending)
    {
        await using var server = ScriptedServer.Start(
            Stream(Events(1, 2) + "id: 3\ndata: hal", Enum.Parse<Ending>(ending)),
            Stream(Events(3, 4)));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2", "3", "4"]);

        server.Requests.Select(request => request.Header("Last-Event-ID")).ShouldBe([null, "2"]);
        (await probe.WaitForAsync<ConnectedEvent>(2)).ShouldBe(new ConnectedEvent { Attempt = 1, ResumedFrom = "2" });
        probe.All<GapEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Takes_a_body_shorter_than_its_content_length_for_a_lost_connection()
    {
        await using var server = ScriptedServer.Start(
            async exchange =>
            {
                await exchange.WriteHeadAsync(200, ("Content-Type", "text/event-stream"), ("Content-Length", "1000"));
                await exchange.WriteAsync(Events(1));
                exchange.Close();
            },
            Stream(Events(2)));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.ConnectionLost);
        server.Requests[1].Header("Last-Event-ID").ShouldBe("1");
    }

    [Fact]
    public async Task Asks_for_the_same_event_again_when_the_line_breaks_before_anything_new()
    {
        await using var server = ScriptedServer.Start(
            Stream(Events(1, 2), Ending.Reset),
            ResetUnanswered,
            Stream("", Ending.Closed),
            Stream("id: 3\n", Ending.Reset),
            Stream(Events(3)));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2", "3"]);

        server.Requests.Select(request => request.Header("Last-Event-ID")).ShouldBe([null, "2", "2", "2", "2"]);
    }

    [Theory]
    [InlineData(CutMode.Reset)]
    [InlineData(CutMode.Close)]
    public async Task Loses_and_repeats_nothing_at_whatever_byte_the_line_is_cut(CutMode how)
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            var next = int.Parse(exchange.Request.Header("Last-Event-ID") ?? "0", System.Globalization.CultureInfo.InvariantCulture) + 1;
            await exchange.StartEventStreamAsync();
            for (; next <= 3; next++)
            {
                await exchange.WriteChunkAsync(Events(next));
            }

            await exchange.EndChunksAsync();
        });
        var lengthOnTheWire = await MeasureAsync(server);

        for (var cut = 0; cut < lengthOnTheWire; cut++)
        {
            await using var proxy = FaultProxy.Start(server.Address, FaultPlan.InOrder(FaultPlan.Cut(cut, how), FaultPlan.None));
            await using var probe = TransportProbe.For(proxy.Address);

            (await probe.ReadTextsAsync()).ShouldBe(["1", "2", "3"], $"cut after byte {cut}");
            proxy.Connections.ShouldBe(2, $"cut after byte {cut}");
        }
    }

    [Fact]
    public async Task Sends_the_id_it_was_given_with_the_first_request()
    {
        await using var server = ScriptedServer.Start(Stream("", Ending.Reset), Stream(Events(42)));
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = server.Address,
            LastEventId = "41",
            Reconnect = TransportProbe.AtOnce,
        });

        (await probe.ReadTextsAsync()).ShouldBe(["42"]);

        server.Requests.Select(request => request.Header("Last-Event-ID")).ShouldBe(["41", "41"]);
        probe.Transport.LastEventId.ShouldBe("42");
    }

    private static async Task<long> MeasureAsync(ScriptedServer server)
    {
        await using var proxy = FaultProxy.Start(server.Address);
        await using var probe = TransportProbe.For(proxy.Address);
        await probe.ReadTextsAsync();
        return proxy.DownstreamBytes;
    }
}
