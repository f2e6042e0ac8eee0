using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.WebSockets;

/// <summary>Messages of every size and cut, and what is too large.</summary>
public class MessageTests
{
    private const int Megabyte = 1024 * 1024;

    public static TheoryData<int> Sizes => [0, 1, 125, 126, 65535, 65536, 16 * Megabyte];

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task A_message_of_any_size_arrives_whole(int size)
    {
        var payload = new byte[size];
        new Random(size).NextBytes(payload);
        await using var server = ScriptedServer.Start(ServerSocket.Sends(
            Frame.OfBinary(payload), Frame.OfText(new string('x', size)), Frame.Close(1000)));
        await using var probe = server.SocketProbe(static options => options with { MaxMessageBytes = 16 * Megabyte });

        var messages = await probe.ReadToEndAsync();

        messages.Select(static message => message.IsBinary).ShouldBe([true, false]);
        messages[0].Data.Span.SequenceEqual(payload).ShouldBeTrue();
        messages[1].Data.Length.ShouldBe(size);
        messages[1].Data.Span.IndexOfAnyExcept((byte)'x').ShouldBe(-1);
    }

    [Fact]
    public async Task Text_is_utf8()
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.OfText("grüße \U0001F600"), Frame.Close(1000)));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe(["grüße \U0001F600"]);
    }

    [Fact]
    public async Task Fragments_with_pings_between_are_one_message_and_the_pings_are_answered()
    {
        var pongs = new List<string>();
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            await socket.SendAsync(
                Frame.OfText("a") with { IsLast = false },
                Frame.Ping("1"),
                Frame.Continuation("") with { IsLast = false },
                Frame.Ping("2"),
                Frame.Continuation("b"),
                Frame.OfText("c"));
            pongs.Add((await socket.ReceiveNextAsync(10))!.Text);
            pongs.Add((await socket.ReceiveNextAsync(10))!.Text);
            await socket.SendAsync(Frame.Close(1000));
            await socket.ReceiveNextAsync(8);
        }));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe(["ab", "c"]);

        pongs.ShouldBe(["1", "2"]);
    }

    [Fact]
    public async Task A_fragment_may_end_within_a_character()
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(
            new Frame(1, [0xC3]) { IsLast = false }, new Frame(0, [0xBC]), Frame.Close(1000)));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe(["ü"]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(5000)]
    public async Task Many_messages_in_one_segment_arrive_in_order_with_the_close_behind_them(int count)
    {
        var texts = EventStreams.Numbers(1, count).ToList();
        await using var server = ScriptedServer.Start(ServerSocket.Sends([.. texts.Select(Frame.OfText), Frame.Close(1000)]));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe(texts);
    }

    [Fact]
    public async Task Messages_may_be_split_at_every_byte()
    {
        byte[] bytes = [.. Frame.OfText("one").ToBytes(), .. Frame.OfBinary(new byte[130]).ToBytes(), .. Frame.OfText("").ToBytes(), .. Frame.Close(1000).ToBytes()];
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            var split = socket.Request.RequestIndex;
            await socket.SendBytesAsync(bytes.AsMemory(..split));
            await Task.Yield();
            await socket.SendBytesAsync(bytes.AsMemory(split..));
            await socket.ReceiveNextAsync(8);
        }));

        for (var split = 0; split <= bytes.Length; split++)
        {
            await using var probe = server.SocketProbe();

            (await probe.ReadToEndAsync()).Select(static message => message.Data.Length).ShouldBe([3, 130, 0], $"split after byte {split}");
        }
    }

    [Fact]
    public async Task Messages_may_come_byte_by_byte()
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(
            Frame.OfText("one"), Frame.OfBinary(new byte[130]), Frame.OfText(""), Frame.Close(1000)));
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.Split(1));
        await using var probe = Sockets.Probe(Sockets.OptionsFor(proxy.Address));

        (await probe.ReadToEndAsync()).Select(static message => message.Data.Length).ShouldBe([3, 130, 0]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_beyond_the_limit_is_refused_after_the_messages_before_it_and_the_server_is_told(bool isInFragments)
    {
        var large = new string('x', 11);
        Frame[] tooLarge = isInFragments
            ? [Frame.OfText(large[..6]) with { IsLast = false }, Frame.Continuation(large[6..])]
            : [Frame.OfText(large)];
        Frame? goodbye = null;
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            await socket.SendAsync([Frame.OfText(large[..10]), .. tooLarge]);
            goodbye = await socket.ReceiveNextAsync(8);
            await socket.SendAsync(goodbye! with { IsMasked = false });
        }));
        await using var probe = server.SocketProbe(static options => options with { MaxMessageBytes = 10 });

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBe([large[..10]]);
        (error.Code, error.IsTransient).ShouldBe((TransportErrorCode.MessageTooLarge, false));
        goodbye!.CloseCode.ShouldBe(1009);
        server.Connections.ShouldBe(1);
    }
}
