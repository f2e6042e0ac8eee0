namespace Perennial.Auto;

/// <summary>
/// Which protocol got through to which origin, so that the next <see cref="AutoTransport"/> need not search. A finding is forgotten when
/// that protocol fails, and after a while, so that one that was held back for a time gets another chance. Bounded; thread safe.
/// </summary>
public sealed class ProtocolMemory
{
    private const int Capacity = 1000;

    private readonly ExpiringMap<AutoProtocol> _findings;

    /// <summary>Remembers nothing yet.</summary>
    /// <param name="time">The clock; <see langword="null"/> for the system's.</param>
    public ProtocolMemory(TimeProvider? time = null) => _findings = new(Capacity, time ?? TimeProvider.System);

    /// <summary>The one of the process.</summary>
    public static ProtocolMemory Shared { get; } = new();

    /// <summary>How long a finding counts, from when it was made. Default 10 min.</summary>
    public TimeSpan Expiry { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Forgets everything: the next transports search anew, as is right where the network has changed.</summary>
    public void Clear() => _findings.Clear();

    internal AutoProtocol? Find(string key) => _findings.Find(key, Expiry);

    /// <summary>Notes a finding. One that merely confirms another does not make it younger: then no other would ever get a chance.</summary>
    internal void Remember(string key, AutoProtocol protocol) => _findings.Remember(key, protocol, Expiry);

    /// <summary>The protocol failed.</summary>
    internal void Forget(string key, AutoProtocol protocol) => _findings.Forget(key, protocol);
}
