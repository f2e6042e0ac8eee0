namespace Perennial;

/// <summary>Specifies whether the peer may have received a message whose send failed.</summary>
public enum DeliveryStatus
{
    /// <summary>The message never left this machine, or the peer refused it. Sending it again does not duplicate it.</summary>
    NotSent,

    /// <summary>The message left, or may have left, and no confirmation arrived. The peer may have received it.</summary>
    Unknown,
}
