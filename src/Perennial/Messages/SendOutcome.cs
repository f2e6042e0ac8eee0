namespace Perennial;

/// <summary>Specifies the outcome of a successful send.</summary>
public enum SendOutcome
{
    /// <summary>The message left this machine. Whether it arrived is unknown.</summary>
    Sent,

    /// <summary>The peer confirmed that it received the message.</summary>
    Acknowledged,
}
