namespace Perennial;

/// <summary>Specifies the state of a <see cref="Transport"/>.</summary>
public enum TransportState
{
    /// <summary>The transport was created and has not been connected yet.</summary>
    Idle,

    /// <summary>The transport establishes its first connection.</summary>
    Connecting,

    /// <summary>A connection is open, and the transport reads from it.</summary>
    Connected,

    /// <summary>The connection was lost. The transport waits or makes another attempt.</summary>
    Reconnecting,

    /// <summary>The stream ended with an error or an interruption. <see cref="Transport.ConnectAsync"/> may be called again.</summary>
    Failed,

    /// <summary>The stream ended, or the caller closed the transport. <see cref="Transport.ConnectAsync"/> may be called again.</summary>
    Closed,
}

internal static class TransportStates
{
    public static bool CanBecome(this TransportState from, TransportState to) => (from, to) switch
    {
        (TransportState.Idle, TransportState.Connecting or TransportState.Closed) => true,
        (TransportState.Connecting, TransportState.Connected or TransportState.Reconnecting) => true,
        (TransportState.Connected, TransportState.Reconnecting) => true,
        (TransportState.Reconnecting, TransportState.Connected or TransportState.Reconnecting) => true,
        (TransportState.Connecting or TransportState.Connected or TransportState.Reconnecting, TransportState.Failed or TransportState.Closed) => true,
        (TransportState.Failed or TransportState.Closed, TransportState.Connecting) => true,
        (TransportState.Failed, TransportState.Closed) => true,
        _ => false,
    };
}
