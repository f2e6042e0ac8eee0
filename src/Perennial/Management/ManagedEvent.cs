namespace Perennial.Management;

/// <summary>The data of an event of one of a manager's transports.</summary>
/// <typeparam name="T">The type of the transport's event.</typeparam>
/// <param name="Transport">The transport.</param>
/// <param name="Event">The data of the transport's event.</param>
public sealed record ManagedEvent<T>(Transport Transport, T Event)
{
    /// <summary>Gets the transport's id.</summary>
    public string Id => Transport.Id;
}

/// <summary>The data of <see cref="ManagerEvents.Removed"/>.</summary>
/// <param name="Transport">The transport. It is closing or closed.</param>
/// <param name="Reason">The reason.</param>
public sealed record RemovedEvent(Transport Transport, RemovalReason Reason)
{
    /// <summary>Gets the transport's id.</summary>
    public string Id => Transport.Id;
}

/// <summary>Specifies why a transport left the pool.</summary>
public enum RemovalReason
{
    /// <summary>The application closed it, or closed all transports.</summary>
    Closed,

    /// <summary>Its stream had ended, and a sweep removed it.</summary>
    Ended,

    /// <summary>It had no traffic for <see cref="TransportManagerOptions.MaxIdleTime"/> and no reader, and a sweep removed it.</summary>
    Idle,
}
