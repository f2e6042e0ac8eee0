using Perennial.Testing;
using Perennial.Tests.Support;
using Perennial.WebSockets;

namespace Perennial.Tests.WebSockets;

/// <summary>The transports under test.</summary>
internal static class Sockets
{
    /// <summary>How long a peer may take to answer a goodbye.</summary>
    public static TimeSpan CloseLimit { get; } = TimeSpan.FromSeconds(1.5);

    /// <summary>Options that reconnect at once, so that a test of something else than waiting does not wait.</summary>
    public static WebSocketTransportOptions SocketOptions(this ScriptedServer server) => OptionsFor(server.Address);

    /// <inheritdoc cref="SocketOptions"/>
    public static WebSocketTransportOptions OptionsFor(Uri endpoint) => new() { Endpoint = endpoint, Reconnect = TransportProbe.AtOnce };

    /// <summary>A probe of a WebSocket.</summary>
    public static TransportProbe SocketProbe(
        this ScriptedServer server, Func<WebSocketTransportOptions, WebSocketTransportOptions>? change = null, TimeProvider? time = null) =>
        Probe(change is null ? server.SocketOptions() : change(server.SocketOptions()), time);

    /// <inheritdoc cref="SocketProbe"/>
    public static TransportProbe Probe(WebSocketTransportOptions options, TimeProvider? time = null) =>
        new(new WebSocketTransport(options, time is null ? null : new TransportServices { Time = time }));
}
