using Perennial.Auto;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Streams;
using Perennial.Testing;
using Perennial.WebSockets;

namespace Perennial.Transports.Tests.Harnesses;

public sealed class SseHarness : RunHarness
{
    public override Transport CreateTransport(TransportSetup setup) =>
        new SseTransport(setup.ApplyTo(new SseTransportOptions { Endpoint = Address }), setup.Services);
}

public sealed class HttpStreamHarness : RunHarness
{
    public override Transport CreateTransport(TransportSetup setup) =>
        new HttpStreamTransport(setup.ApplyTo(new HttpStreamTransportOptions { Endpoint = Address }), setup.Services);
}

public sealed class LongPollHarness : RunHarness
{
    public override Transport CreateTransport(TransportSetup setup) =>
        new LongPollTransport(setup.ApplyTo(new LongPollTransportOptions { Endpoint = Address, Interval = TimeSpan.Zero }), setup.Services);
}

public sealed class AutoHarness : RunHarness
{
    public override Transport CreateTransport(TransportSetup setup) =>
        new AutoTransport(setup.ApplyTo(new AutoTransportOptions { Endpoint = Address }), setup.Services);
}

/// <summary>The same endpoint over TCP, in frames with their length before them.</summary>
public sealed class ByteStreamHarness : RunHarness
{
    public override Transport CreateTransport(TransportSetup setup) => new ByteStreamTransport(
        setup.ApplyTo(new ByteStreamTransportOptions { Endpoint = new UriBuilder(Address) { Scheme = "tcp" }.Uri }), setup.Services);
}

public sealed class WebSocketHarness : RunHarness
{
    public override Transport CreateTransport(TransportSetup setup) =>
        new WebSocketTransport(setup.ApplyTo(new WebSocketTransportOptions { Endpoint = Address }), setup.Services);
}

/// <summary>The same server without its subprotocol: messages have no ids, and nobody acknowledges a send.</summary>
public sealed class PlainWebSocketHarness : RunHarness
{
    public override TransportTraits Traits { get; } = new() { MarksEnd = true, Sends = SendPromise.Sent };

    public override Transport CreateTransport(TransportSetup setup) => new WebSocketTransport(
        setup.ApplyTo(new WebSocketTransportOptions { Endpoint = Address, UsePerennialProtocol = false }), setup.Services);
}
