using System.Text;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Resuming;

/// <summary>Which id the next request carries (HTML standard, 9.2.4 and 9.2.6).</summary>
public class CursorTests
{
    [Fact]
    public async Task What_came_before_an_event_that_is_too_large_is_delivered()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1, 2) + $"data: {new string('x', 200)}\n\n"));
        await using var probe = new TransportProbe(new SseTransportOptions { Endpoint = server.Address, MaxMessageBytes = 100 });

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBe(["1", "2"]);
        error.Code.ShouldBe(TransportErrorCode.MessageTooLarge);
        probe.Transport.LastEventId.ShouldBe("2");
    }

    [Fact]
    public async Task Carries_an_id_beyond_ascii_as_utf8()
    {
        await using var server = ScriptedServer.Start(Stream("id: é→😀\ndata: 1\n\n", Ending.Reset), Stream(Events(2)));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        // The scripted server reads heads as Latin-1, byte by byte.
        var sent = Encoding.Latin1.GetBytes(server.Requests[1].Header("Last-Event-ID").ShouldNotBeNull());
        Encoding.UTF8.GetString(sent).ShouldBe("é→😀");
    }

    [Theory]
    [InlineData("id\ndata: cleared\n\n")]
    [InlineData("id:\ndata: cleared\n\n")]
    [InlineData("data: cleared\nid: \n\n")]
    public async Task An_empty_id_clears_it(string clearing)
    {
        await using var server = ScriptedServer.Start(Stream(Events(1) + clearing, Ending.Reset), Stream(Events(1)));
        await using var probe = TransportProbe.For(server.Address);

        await probe.ReadTextsAsync();

        server.Requests[1].Headers.Contains("Last-Event-ID").ShouldBeFalse();
    }

    [Fact]
    public async Task An_id_with_nul_is_ignored()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1) + "id: 2\0\ndata: 2\n\n", Ending.Reset), Stream(Events(3)));
        await using var probe = TransportProbe.For(server.Address);

        await probe.ReadTextsAsync();

        server.Requests[1].Header("Last-Event-ID").ShouldBe("1");
    }

    [Theory]
    [InlineData("id: 2\n")]
    [InlineData("id: 2\ndata: two\n")]
    [InlineData("id: 2\ndata: two\nevent: x")]
    public async Task An_id_of_an_event_that_did_not_arrive_whole_is_not_used(string half)
    {
        await using var server = ScriptedServer.Start(Stream(Events(1) + half, Ending.Reset), Stream(Events(2)));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        server.Requests[1].Header("Last-Event-ID").ShouldBe("1");
    }

    [Fact]
    public async Task An_id_without_data_counts_once_its_block_is_complete()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1) + "id: 9\n\n", Ending.Reset), Stream(Events(10)));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "10"]);

        server.Requests[1].Header("Last-Event-ID").ShouldBe("9");
    }

    [Fact]
    public async Task An_event_that_is_not_delivered_moves_it_all_the_same()
    {
        await using var server =
            ScriptedServer.Start(Stream(Events(1) + "id: 2\nevent: ping\ndata: noise\n\n", Ending.Reset), Stream(Events(3)));
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = server.Address,
            Reconnect = TransportProbe.AtOnce,
            Classify = static (in StreamMessage message) => message.EventType is "ping" ? StreamSignal.Ignored : StreamSignal.None,
        });

        (await probe.ReadTextsAsync()).ShouldBe(["1", "3"]);

        server.Requests[1].Header("Last-Event-ID").ShouldBe("2");
    }

    [Fact]
    public async Task Does_not_move_before_the_message_fits_into_the_buffer()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1, 2, 3), Ending.Silence));
        await using var probe = new TransportProbe(new SseTransportOptions { Endpoint = server.Address, Buffer = new() { Capacity = 1 } });
        var full = new TaskCompletionSource();
        probe.Transport.Backpressure += (_, _) => full.TrySetResult();

        await probe.Transport.ConnectAsync(probe.Token);
        await full.Task.WaitAsync(probe.Token);

        (probe.Transport.LastEventId ?? "1").ShouldBe("1");
        (await probe.ReadTextsAsync(3)).ShouldBe(["1", "2", "3"]);
    }
}
