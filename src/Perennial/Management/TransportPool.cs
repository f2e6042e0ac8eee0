using System.Diagnostics.CodeAnalysis;

namespace Perennial.Management;

/// <summary>The transports of a manager by id, up to the capacity. Thread safe.</summary>
internal sealed class TransportPool(int capacity, object owner)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PooledTransport> _transports = new(StringComparer.Ordinal);
    private long _created;
    private bool _isClosed;

    /// <summary>The transports in the pool now, and the number ever added.</summary>
    public (PooledTransport[] Transports, long Created) Snapshot
    {
        get
        {
            lock (_gate)
            {
                return ([.. _transports.Values], _created);
            }
        }
    }

    /// <summary>Adds a transport if there is room.</summary>
    /// <param name="added">The transport.</param>
    /// <param name="prepare">Called before other code can find the transport. Must be fast.</param>
    /// <exception cref="ArgumentException">The transport is already in the pool.</exception>
    /// <exception cref="ObjectDisposedException">The pool is closed.</exception>
    public bool TryAdd(PooledTransport added, Action prepare)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, owner);
            if (_transports.ContainsKey(added.Transport.Id))
            {
                throw new ArgumentException("The transport is already in the pool.", nameof(added));
            }

            if (_transports.Count == capacity)
            {
                return false;
            }

            prepare();
            _transports.Add(added.Transport.Id, added);
            _created++;
            return true;
        }
    }

    public bool TryGet(string id, [MaybeNullWhen(false)] out PooledTransport found)
    {
        lock (_gate)
        {
            return _transports.TryGetValue(id, out found);
        }
    }

    /// <summary>Removes a transport. The caller that gets <see langword="true"/> must close it.</summary>
    public bool TryRemove(PooledTransport transport)
    {
        lock (_gate)
        {
            return _transports.Remove(transport.Transport.Id);
        }
    }

    /// <summary>Closes the pool: no transport can be added any more.</summary>
    /// <returns>True if this call closed the pool.</returns>
    public bool Close()
    {
        lock (_gate)
        {
            var wasOpen = !_isClosed;
            _isClosed = true;
            return wasOpen;
        }
    }
}
