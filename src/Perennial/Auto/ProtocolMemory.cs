namespace Perennial.Auto;

/// <summary>
/// Remembers which protocol got through to which origin, so that the next <see cref="AutoTransport"/> tries it first. An entry is removed
/// when its protocol fails, and after <see cref="Expiry"/>, so that protocols that were blocked for a time are tried again. Holds a limited
/// number of entries. Thread safe.
/// </summary>
public sealed class ProtocolMemory
{
    private const int Capacity = 1000;

    private readonly ExpiringMap<AutoProtocol> _findings;

    /// <summary>Creates an empty memory.</summary>
    /// <param name="time">The clock. <see langword="null"/> uses the system's clock.</param>
    public ProtocolMemory(TimeProvider? time = null) => _findings = new(Capacity, time ?? TimeProvider.System);

    /// <summary>Gets the memory that all transports of the process share by default.</summary>
    public static ProtocolMemory Shared { get; } = new();

    /// <summary>Gets how long an entry is valid after it was created. Default 10 min.</summary>
    public TimeSpan Expiry { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Removes all entries, so that the next transports try all protocols again. Useful after a change of network.</summary>
    public void Clear() => _findings.Clear();

    internal AutoProtocol? Find(string key) => _findings.Find(key, Expiry);

    /// <summary>
    /// Adds an entry. The same protocol again does not extend the entry's life; otherwise no other protocol would ever be tried.
    /// </summary>
    internal void Remember(string key, AutoProtocol protocol) => _findings.Remember(key, protocol, Expiry);

    /// <summary>Removes the entry of a protocol that failed.</summary>
    internal void Forget(string key, AutoProtocol protocol) => _findings.Forget(key, protocol);
}
