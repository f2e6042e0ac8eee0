using System.Globalization;
using Perennial.Auto;
using Perennial.Testing;
using Perennial.Tests.Support;
using Perennial.Tests.WebSockets;
using static Perennial.Tests.Support.BodyScripts;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Auto;

/// <summary>What got through is tried first: by the transport itself, and by the next one to the same origin.</summary>
public class MemoryTests
{
    [Fact]
    public async Task The_next_transport_goes_straight_to_what_got_through()
    {
        var memory = new ProtocolMemory();
        await using var server = new FormServer { Stream = Stream(Events(1)) }.Start();
        await ReadAsync(server, memory);

        await ReadAsync(server, memory, static options => options with { Endpoint = new Uri(options.Endpoint, "/another?stream") });

        server.Forms().ShouldBe(["websocket", "stream", "stream"]);
    }

    [Fact]
    public async Task Another_origin_another_order_and_another_memory_know_nothing_of_it()
    {
        var memory = new ProtocolMemory();
        await using var server = new FormServer { Stream = Stream(Events(1)) }.Start();
        await using var another = new FormServer { Stream = Stream(Events(1)) }.Start();
        await ReadAsync(server, memory);

        await ReadAsync(another, memory);
        await ReadAsync(server, new ProtocolMemory());
        await ReadAsync(server, memory, static options => options with { Order = [AutoProtocol.WebSocket, AutoProtocol.Sse] });

        server.Forms().ShouldBe(["websocket", "stream", "websocket", "stream", "websocket", "stream"]);
        another.Forms().ShouldBe(["websocket", "stream"]);
    }

    [Fact]
    public async Task What_fails_is_forgotten_and_the_search_begins_anew()
    {
        var memory = new ProtocolMemory();
        var streams = new Queue<Func<ScriptedExchange, Task>>([Stream(Events(1)), Status(406)]);
        await using var server =
            new FormServer { Stream = exchange => streams.Dequeue()(exchange), Poll = Answer("{\"type\":\"done\"}") }.Start();
        await ReadAsync(server, memory);
        await ReadAsync(server, memory);

        await ReadAsync(server, memory);

        server.Forms().ShouldBe(["websocket", "stream", "stream", "websocket", "poll", "poll"]);
    }

    [Fact]
    public async Task A_connection_that_was_never_heard_is_not_remembered()
    {
        var memory = new ProtocolMemory();
        await using var server = new FormServer { WebSocket = ServerSocket.SendsAndEnds(), Stream = Stream(Events(1)) }.Start();
        await ReadAsync(server, memory);

        await ReadAsync(server, memory);

        server.Forms().ShouldBe(["websocket", "websocket", "stream", "stream"]);
    }

    [Fact]
    public async Task A_POST_tells_nothing_of_the_protocols_it_could_not_use()
    {
        var memory = new ProtocolMemory();
        await using var server = new FormServer { Stream = Stream(Events(1)) }.Start();
        await ReadAsync(server, memory, static options => options with { Method = HttpMethod.Post });

        await ReadAsync(server, memory);

        server.Forms().ShouldBe(["stream", "websocket", "stream"]);
    }

    [Fact]
    public async Task A_lost_connection_is_replaced_by_the_same_protocol()
    {
        var streams = new Queue<Func<ScriptedExchange, Task>>([Stream(Events(1), Ending.Reset), Stream(Events(2))]);
        await using var server = new FormServer { Stream = exchange => streams.Dequeue()(exchange) }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        server.Forms().ShouldBe(["websocket", "stream", "stream"]);
        auto.Transport.FailedProtocols.ShouldBeEmpty();
    }

    [Fact]
    public void A_finding_expires_however_often_it_is_confirmed()
    {
        var time = new ManualTimeProvider();
        var memory = new ProtocolMemory(time);
        memory.Remember("a", AutoProtocol.Sse);
        time.Advance(memory.Expiry - TimeSpan.FromTicks(1));
        memory.Find("a").ShouldBe(AutoProtocol.Sse);
        memory.Remember("a", AutoProtocol.Sse);

        time.Advance(TimeSpan.FromTicks(1));

        memory.Find("a").ShouldBeNull();
    }

    [Fact]
    public void Only_the_protocol_that_failed_is_forgotten()
    {
        var memory = new ProtocolMemory();
        memory.Remember("a", AutoProtocol.Sse);

        memory.Forget("a", AutoProtocol.WebSocket);
        memory.Find("a").ShouldBe(AutoProtocol.Sse);

        memory.Forget("a", AutoProtocol.Sse);
        memory.Find("a").ShouldBeNull();
        memory.Remember("b", AutoProtocol.Sse);
        memory.Clear();
        memory.Find("b").ShouldBeNull();
    }

    [Fact]
    public void The_oldest_finding_makes_room()
    {
        var time = new ManualTimeProvider();
        var memory = new ProtocolMemory(time);
        for (var i = 0; i <= 1000; i++)
        {
            memory.Remember(i.ToString(CultureInfo.InvariantCulture), AutoProtocol.Sse);
            time.Advance(TimeSpan.FromTicks(1));
        }

        memory.Find("0").ShouldBeNull();
        memory.Find("1").ShouldBe(AutoProtocol.Sse);
        memory.Find("1000").ShouldBe(AutoProtocol.Sse);
    }

    private static async Task ReadAsync(
        ScriptedServer server, ProtocolMemory memory, Func<AutoTransportOptions, AutoTransportOptions>? change = null)
    {
        await using var auto = new AutoProbe(server, change, memory: memory);
        await auto.Probe.ReadTextsAsync();
    }
}
