using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using Perennial.Tests.WebSockets;
using static Perennial.Tests.RequestReply.RequestText;

namespace Perennial.Tests.RequestReply;

/// <summary>Requests over real sockets, by every protocol.</summary>
public class WireTests
{
    [Theory]
    [MemberData(nameof(ReplyServer.Protocols), MemberType = typeof(ReplyServer))]
    public async Task Replies_come_beside_the_messages_of_the_stream(string protocol)
    {
        await using var server = new ReplyServer(static (request, say) =>
        {
            say("{\"news\":1}");
            say(Reply(request, $"\"text\":\"{Member(request, "text")}!\",\"done\":true"));
            say("{\"news\":2}");
        });
        await using var transport = server.Connect(protocol);
        await transport.ConnectAsync().Soon();

        var one = await transport.RequestAsync(new Words("one"), WordsJson.Default.Words, WordsJson.Default.Words).Soon();
        var two = await transport.RequestStreamAsync("{\"text\":\"two\"}").TextsAsync().Soon();

        one.ShouldBe(new Words("one!"));
        two.Select(static text => Member(text, "text")).ShouldBe(["two!"]);
        (await transport.ReadAllAsync().TextsAsync(4).Soon()).ShouldBe(["{\"news\":1}", "{\"news\":2}", "{\"news\":1}", "{\"news\":2}"]);
        transport.State.ShouldBe(TransportState.Connected);
        transport.GetMetrics().OutstandingRequests.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(ReplyServer.Protocols), MemberType = typeof(ReplyServer))]
    public async Task Many_requests_at_a_time_get_many_replies_each_and_only_their_own(string protocol)
    {
        await using var server = new ReplyServer(static (request, say) =>
        {
            for (var n = 0; n < 20; n++)
            {
                say(Reply(request, $"\"i\":{Member(request, "i")},\"n\":{n}"));
            }

            say(Reply(request, "\"done\":true"));
        });
        await using var transport = server.Connect(protocol);
        await transport.ConnectAsync().Soon();

        var streams = Enumerable.Range(0, 10).Select(i => transport.RequestStreamAsync($$"""{"i":{{i}}}""").TextsAsync()).ToArray();

        for (var i = 0; i < 10; i++)
        {
            (await streams[i].Soon())
                .Select(static text => $"{Member(text, "i")}.{Member(text, "n")}")
                .ShouldBe(Enumerable.Range(0, 20).Select(n => $"{i}.{n}"));
        }

        transport.GetMetrics().LateReplies.ShouldBe(0);
    }

    [Theory]
    [InlineData("sse", 1)]
    [InlineData("sse", 2)]
    [InlineData("ndjson", 3)]
    [InlineData("ndjson", 4)]
    [InlineData("long-poll", 5)]
    public async Task However_often_the_line_is_cut_every_request_gets_exactly_its_replies(string protocol, int seed)
    {
        const int Count = 100;
        var random = new Random(seed);
        var waiting = new List<string>();
        await using var server = new ReplyServer(
            (request, say) =>
            {
                lock (random)
                {
                    waiting.AddRange(
                        Enumerable.Range(
                            0,
                            int.Parse(Member(request, "count"), System.Globalization.CultureInfo.InvariantCulture)).Select(_ => request));
                    for (var said = random.Next(6); said > 0 && waiting.Count > 0; said--)
                    {
                        SayOneOf(waiting, random, say);
                    }
                }
            },
            () =>
            {
                lock (random)
                {
                    return random.Next(1, 12);
                }
            });
        await using var transport = server.Connect(protocol);
        await transport.ConnectAsync().Soon();

        var requests = Enumerable.Range(0, Count).Select(i => transport.RequestStreamAsync($$"""{"i":{{i}},"count":{{1 + (i % 4)}}}""").TextsAsync()).ToArray();
        await Patience.Until(() => transport.GetMetrics().MessagesSent == Count, "all were sent");
        lock (random)
        {
            while (waiting.Count > 0)
            {
                SayOneOf(waiting, random, server.Say);
            }
        }

        for (var i = 0; i < Count; i++)
        {
            (await requests[i].Soon()).Select(static text => Member(text, "i")).ShouldBe(Enumerable.Repeat($"{i}", 1 + (i % 4)));
        }

        server.Connections.ShouldBeGreaterThan(10);
        transport.GetMetrics().LateReplies.ShouldBe(0);
        transport.GetMetrics().Gaps.ShouldBe(0);
    }

    [Fact]
    public async Task A_websocket_that_breaks_off_takes_the_reply_with_it_and_the_request_says_so()
    {
        var cut = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(
            ServerSocket.Script(async socket =>
            {
                await socket.ReceiveNextAsync(1);
                await cut.Task.WaitAsync(socket.Stopping);
                await socket.ResetAsync();
            }),
            ServerSocket.Script(async socket =>
            {
                var request = await socket.ReceiveNextAsync(1);
                await socket.SendAsync(Frame.OfText(Reply(request!.Text, "\"done\":true")));
                await socket.ReceiveNextAsync(8);
            }));
        await using var probe = server.SocketProbe();
        var lost = probe.Transport.RequestAsync("{}", cancellationToken: probe.Token);
        await Patience.Until(() => probe.Transport.GetMetrics().MessagesSent == 1, "it was sent");
        cut.SetResult();

        var error = await Should.ThrowAsync<TransportException>(lost);
        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.ReplyLost, DeliveryStatus.Unknown));

        await probe.Transport.RequestAsync("{}", cancellationToken: probe.Token);
        probe.Transport.State.ShouldBe(TransportState.Connected);
    }

    [Fact]
    public async Task A_gap_that_the_server_announces_may_hold_the_reply()
    {
        var gets = 0;
        var posted = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            if (exchange.Request.Method is "POST")
            {
                await exchange.RespondAsync(202);
                return;
            }

            var isFirst = Interlocked.Increment(ref gets) == 1;
            await exchange.StartEventStreamAsync(BodyScripts.SpeaksPerennial);
            await exchange.WriteChunkAsync(
                isFirst ? SseScripts.Events(1) : "event: perennial.gap\ndata: {\"requested\":\"1\",\"resumesAt\":\"9\"}\n\n");
            await (isFirst ? posted.Task : Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, exchange.Stopping));
            await exchange.ResetAsync();
        });
        await using var probe = TransportProbe.For(server.Address);
        var lost = probe.Transport.RequestAsync("{}", cancellationToken: probe.Token);
        await Patience.Until(() => probe.Transport.GetMetrics() is { MessagesSent: 1, MessagesReceived: 1 }, "it was sent");
        posted.SetResult();

        (await Should.ThrowAsync<TransportException>(lost)).Code.ShouldBe(TransportErrorCode.ReplyLost);
    }

    private static void SayOneOf(List<string> waiting, Random random, Action<string> say)
    {
        var request = waiting[random.Next(waiting.Count)];
        waiting.Remove(request);
        say(Reply(request, $"\"i\":{Member(request, "i")}{(waiting.Contains(request) ? "" : ",\"done\":true")}"));
    }
}
