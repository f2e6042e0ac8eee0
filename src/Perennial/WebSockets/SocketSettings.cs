namespace Perennial.WebSockets;

/// <summary>The settings of one connection.</summary>
/// <param name="Framing">How messages become bytes.</param>
/// <param name="Options">The options of the transport.</param>
/// <param name="Heartbeat">The options for detecting a dead peer.</param>
/// <param name="Time">The clock.</param>
internal sealed record SocketSettings(ISocketFraming Framing, TransportOptions Options, HeartbeatOptions Heartbeat, TimeProvider Time);
