namespace Perennial;

/// <summary>Where a <see cref="Transport"/> is in its life. One value at any time; every allowed move is in one table.</summary>
public enum TransportState
{
    /// <summary>Created, never connected.</summary>
    Idle,

    /// <summary>The first connection is being established.</summary>
    Connecting,

    /// <summary>A connection is open and is being read.</summary>
    Connected,

    /// <summary>The connection was lost; a wait or a new attempt is under way.</summary>
    Reconnecting,

    /// <summary>Over, by an error or an interruption. <see cref="Transport.ConnectAsync"/> may be called again.</summary>
    Failed,

    /// <summary>Over, because the stream ended or the caller closed it. <see cref="Transport.ConnectAsync"/> may be called again.</summary>
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
