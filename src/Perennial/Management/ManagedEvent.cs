namespace Perennial.Management;

/// <summary>An event of one of a manager's transports.</summary>
/// <typeparam name="T">What the transport announced.</typeparam>
/// <param name="Transport">Whose event it is.</param>
/// <param name="Event">What it announced.</param>
public sealed record ManagedEvent<T>(Transport Transport, T Event)
{
    /// <summary>The transport's id.</summary>
    public string Id => Transport.Id;
}

/// <summary>A transport left the pool.</summary>
/// <param name="Transport">Which. It is closing or closed.</param>
/// <param name="Reason">Why.</param>
public sealed record RemovedEvent(Transport Transport, RemovalReason Reason)
{
    /// <summary>The transport's id.</summary>
    public string Id => Transport.Id;
}

/// <summary>Why a transport left the pool.</summary>
public enum RemovalReason
{
    /// <summary>The application closed it, or all.</summary>
    Closed,

    /// <summary>It had ended, and a sweep found it.</summary>
    Ended,

    /// <summary>It had no traffic for <see cref="TransportManagerOptions.MaxIdleTime"/>, and nobody read it.</summary>
    Idle,
}
