namespace Perennial;

/// <summary>What is known of a message whose send failed.</summary>
public enum DeliveryStatus
{
    /// <summary>It never left this machine, or the peer refused it: sending it again repeats nothing.</summary>
    NotSent,

    /// <summary>It left, or may have left, and no confirmation came: the peer may or may not have it.</summary>
    Unknown,
}
