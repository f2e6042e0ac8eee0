namespace Perennial.Management;

/// <summary>The data of an event of one of a manager's transports.</summary>
/// <typeparam name="T">The type of the transport's event.</typeparam>
public sealed record ManagedEvent<T>
{
    /// <summary>Gets the transport.</summary>
    public required Transport Transport { get; init; }

    /// <summary>Gets its event.</summary>
    public required T Event { get; init; }

    /// <summary>Gets the transport's id.</summary>
    public string Id => Transport.Id;
}

/// <summary>The data of <see cref="ManagerEvents.Removed"/>.</summary>
public sealed record RemovedEvent
{
    /// <summary>Gets the transport. It is closing or closed.</summary>
    public required Transport Transport { get; init; }

    /// <summary>Gets why it left.</summary>
    public required RemovalReason Reason { get; init; }

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
