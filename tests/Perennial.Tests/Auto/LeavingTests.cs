using Perennial.Auto;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using Perennial.Tests.WebSockets;
using static Perennial.Tests.Support.BodyScripts;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Auto;

/// <summary>Leaving in the middle of a search leaves no socket, no timer and no further request.</summary>
public class LeavingTests
{
    /// <summary>What the search waits for when it is left.</summary>
    public enum Moment
    {
        Handshake,
        Headers,
        FirstByte,
        Poll,
    }

    [Theory]
    [InlineData(Moment.Handshake, 1)]
    [InlineData(Moment.Headers, 2)]
    [InlineData(Moment.FirstByte, 2)]
    [InlineData(Moment.Poll, 3)]
    public async Task A_search_that_is_left_leaves_nothing(Moment moment, int requests)
    {
        var time = new ManualTimeProvider();
        using var http = new ReadWatch();
        await using var server = ServerHangingAt(moment).Start();
        await using var auto = new AutoProbe(server, time: time, http: moment == Moment.FirstByte ? http : null);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(auto.Probe.Token);
        var connecting = auto.Transport.ConnectAsync(leave.Token);
        await server.WaitForRequestsAsync(requests, auto.Probe.Token);
        if (moment == Moment.FirstByte)
        {
            await http.WaitForNextAsync(auto.Probe.Token);
        }

        await leave.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(connecting);
        await Patience.Until(() => server.LiveConnections == 0 || requests > 1, "no socket is left");
        await auto.DisposeAsync();
        await Patience.Until(() => time.ActiveTimers == 0, "no timer is left");
        server.Requests.Count.ShouldBe(requests);
    }

    [Theory]
    [InlineData(AutoProtocol.WebSocket)]
    [InlineData(AutoProtocol.Sse)]
    [InlineData(AutoProtocol.LongPoll)]
    public async Task A_close_ends_whatever_connection_there_is(AutoProtocol protocol)
    {
        await using var server = new FormServer
        {
            WebSocket = protocol == AutoProtocol.WebSocket
                ? ServerSocket.Script(static async socket =>
                {
                    await socket.ReceiveNextAsync(8);
                    await socket.SendAsync(Frame.Close(1000));
                })
                : null,
            Stream = protocol == AutoProtocol.Sse ? Stream(":\n", Ending.Silence, SpeaksPerennial) : Status(406),
            Poll = NeverAnswer,
        }.Start();
        await using var auto = new AutoProbe(
            server, static options => options with { AttemptTimeout = TimeSpan.FromSeconds(30), ConnectTimeout = TimeSpan.FromMinutes(5) });
        var reading = auto.Probe.ReadTextsAsync();
        if (protocol == AutoProtocol.LongPoll)
        {
            await server.WaitForRequestsAsync(3, auto.Probe.Token);
        }
        else
        {
            await auto.Probe.WaitForAsync<ConnectedEvent>();
        }

        await auto.Transport.CloseAsync(auto.Probe.Token);

        (await reading).ShouldBeEmpty();
        await Patience.Until(() => server.LiveConnections == 0 || protocol == AutoProtocol.LongPoll, "the connection is closed");
        auto.Transport.State.ShouldBe(TransportState.Closed);
    }

    [Fact]
    public async Task A_candidate_that_is_passed_over_leaves_no_connection()
    {
        await using var server = new FormServer
        {
            WebSocket = ServerSocket.Script(static socket => socket.WaitForClientCloseAsync()),
            Stream = Stream("", Ending.Silence),
        }.Start();
        await using var auto = new AutoProbe(server, static options => options with { LastEventId = "1" });

        await auto.Transport.ConnectAsync(auto.Probe.Token);

        await Patience.Until(() => server.LiveConnections == 1, "the WebSocket is closed");
    }

    private static FormServer ServerHangingAt(Moment moment) => new()
    {
        WebSocket = moment == Moment.Handshake ? NeverAnswer : null,
        Stream = moment switch
        {
            Moment.Headers => NeverAnswer,
            Moment.FirstByte => Stream("", Ending.Silence, SpeaksPerennial),
            _ => Status(406),
        },
        Poll = NeverAnswer,
    };
}
