using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.WebSockets;

/// <summary>
/// A peer that breaks the protocol (RFC 6455, 5 and 8.1): final, after the messages before it, and said in a close where that is possible.
/// </summary>
public class ProtocolViolationTests
{
    private const int ProtocolError = 1002;
    private const int InvalidPayload = 1007;

    public static TheoryData<string, int> Violations { get; } = new()
    {
        { "invalid UTF-8", InvalidPayload },
        { "UTF-8 that ends within a character", InvalidPayload },
        { "a reserved bit", ProtocolError },
        { "a compressed message without compression", ProtocolError },
        { "a masked frame", ProtocolError },
        { "a reserved opcode", ProtocolError },
        { "a reserved control opcode", ProtocolError },
        { "a control frame that is too long", ProtocolError },
        { "a control frame in fragments", ProtocolError },
        { "a continuation without a start", ProtocolError },
        { "a message within a message", ProtocolError },
        { "a close with half a code", ProtocolError },
        { "a close with a code out of range", ProtocolError },
        { "a close with a code that is never sent", ProtocolError },
        { "a close whose reason is not UTF-8", ProtocolError },
        { "a length beyond counting", ProtocolError },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task Is_final_and_the_server_is_told(string violation, int code)
    {
        Frame? goodbye = null;
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            await socket.SendAsync(Frame.OfText("before"));
            await socket.SendBytesAsync(BytesOf(violation));
            goodbye = await socket.ReceiveNextAsync(8);
        }));
        await using var probe = server.SocketProbe();

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBe(["before"]);
        (error.Code, error.IsTransient).ShouldBe((TransportErrorCode.ProtocolViolation, false));
        await Patience.Until(() => server.LiveConnections == 0, "the connection is closed");
        goodbye.ShouldNotBeNull().CloseCode.ShouldBe(code);
        server.Connections.ShouldBe(1);
    }

    private static byte[] BytesOf(string violation) => violation switch
    {
        "invalid UTF-8" => new Frame(1, [0x61, 0xFF]).ToBytes(),
        "UTF-8 that ends within a character" => new Frame(1, [0xE2, 0x82]).ToBytes(),
        "a reserved bit" => (Frame.OfText("a") with { Reserved = 0x20 }).ToBytes(),
        "a compressed message without compression" => (Frame.OfText("a") with { Reserved = 0x40 }).ToBytes(),
        "a masked frame" => (Frame.OfText("a") with { IsMasked = true }).ToBytes(),
        "a reserved opcode" => new Frame(3, []).ToBytes(),
        "a reserved control opcode" => new Frame(11, []).ToBytes(),
        "a control frame that is too long" => Frame.Ping(new string('x', 126)).ToBytes(),
        "a control frame in fragments" => (Frame.Ping() with { IsLast = false }).ToBytes(),
        "a continuation without a start" => Frame.Continuation("a").ToBytes(),
        "a message within a message" => [.. (Frame.OfText("a") with { IsLast = false }).ToBytes(), .. Frame.OfText("b").ToBytes()],
        "a close with half a code" => new Frame(8, [3]).ToBytes(),
        "a close with a code out of range" => Frame.Close(999).ToBytes(),
        "a close with a code that is never sent" => Frame.Close(1006).ToBytes(),
        "a close whose reason is not UTF-8" => new Frame(8, [0x03, 0xE8, 0xFF]).ToBytes(),
        _ => [0x82, 127, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    };
}
