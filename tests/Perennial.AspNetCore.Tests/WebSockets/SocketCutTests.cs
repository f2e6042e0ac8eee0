using Perennial.WebSockets;

namespace Perennial.AspNetCore.Tests.WebSockets;

public sealed class SocketCutTests(ITestOutputHelper output) : CutSuite(output)
{
    protected override Transport NewTransport(Uri endpoint, int queue) =>
        new WebSocketTransport(new WebSocketTransportOptions { Endpoint = endpoint, Reconnect = AtOnce, Send = Patient(queue) });
}
