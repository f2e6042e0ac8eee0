namespace Perennial.Auto;

/// <summary>
/// Which protocol got through to which origin, so that the next <see cref="AutoTransport"/> need not search. A finding is forgotten when
/// that protocol fails, and after a while, so that one that was held back for a time gets another chance. Bounded; thread safe.
/// </summary>
public sealed class ProtocolMemory
{
    private const int Capacity = 1000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Finding> _findings = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    /// <summary>Remembers nothing yet.</summary>
    /// <param name="time">The clock; <see langword="null"/> for the system's.</param>
    public ProtocolMemory(TimeProvider? time = null) => _time = time ?? TimeProvider.System;

    /// <summary>The one of the process.</summary>
    public static ProtocolMemory Shared { get; } = new();

    /// <summary>How long a finding counts, from when it was made. Default 10 min.</summary>
    public TimeSpan Expiry { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Forgets everything: the next transports search anew, as is right where the network has changed.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _findings.Clear();
        }
    }

    internal AutoProtocol? Find(string key)
    {
        lock (_gate)
        {
            return FindLocked(key);
        }
    }

    /// <summary>Notes a finding. One that merely confirms another does not make it younger: then no other would ever get a chance.</summary>
    internal void Remember(string key, AutoProtocol protocol)
    {
        lock (_gate)
        {
            if (FindLocked(key) == protocol)
            {
                return;
            }

            if (_findings.Count >= Capacity && !_findings.ContainsKey(key))
            {
                _findings.Remove(_findings.MinBy(static entry => entry.Value.At).Key);
            }

            _findings[key] = new Finding(protocol, _time.GetTimestamp());
        }
    }

    /// <summary>The protocol failed.</summary>
    internal void Forget(string key, AutoProtocol protocol)
    {
        lock (_gate)
        {
            if (FindLocked(key) == protocol)
            {
                _findings.Remove(key);
            }
        }
    }

    private AutoProtocol? FindLocked(string key)
    {
        if (!_findings.TryGetValue(key, out var finding))
        {
            return null;
        }

        if (_time.GetElapsedTime(finding.At) < Expiry)
        {
            return finding.Protocol;
        }

        _findings.Remove(key);
        return null;
    }

    private readonly record struct Finding(AutoProtocol Protocol, long At);
}
