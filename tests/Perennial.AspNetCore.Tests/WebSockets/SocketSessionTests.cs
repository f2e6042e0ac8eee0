using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.WebSockets;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.WebSockets;

public class SocketSessionTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task Nobody_waits_for_a_peer_that_vanished_without_a_goodbye()
    {
        var clock = new ManualTimeProvider();
        var options = Options.Create(new PerennialServerOptions());
        using var store = new MemoryRunStore(options, clock);
        var log = await store.CreateAsync(new NewRun { Id = "id", Epoch = "epoch" }, TestEnds);
        using var ended = new MemoryStream();
        using var socket = WebSocket.CreateFromStream(ended, new WebSocketCreationOptions { IsServer = true });
        await using var frames = new SocketFrames(socket, stream: null, ReaderKind.WebSocket, TimeSpan.FromMinutes(1), clock);
        var sink = new PlainSink(frames);
        var inbox = new PatientInbox(log, new MessageRate(options, clock), clock);
        var receiver = new SocketReceiver(
            socket, new PlainTaker(inbox, new SocketRights(new DefaultHttpContext()), maxMessageBytes: 10), maxBytes: 10);

        await new SocketSession(socket, sink, receiver, clock).RunAsync(
            new RunDelivery(log, sink, TimeSpan.FromSeconds(15), clock),
            new ReaderPlace(Cursor: 0, Gap: null),
            CancellationToken.None,
            CancellationToken.None);

        clock.ActiveTimers.ShouldBe(0);
    }
}
