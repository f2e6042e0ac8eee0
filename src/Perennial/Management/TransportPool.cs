using System.Diagnostics.CodeAnalysis;

namespace Perennial.Management;

/// <summary>The transports of a manager by id, never more than there may be. Thread safe.</summary>
internal sealed class TransportPool(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PooledTransport> _transports = new(StringComparer.Ordinal);
    private long _created;
    private bool _isClosed;

    /// <summary>Those in the pool now, and how many ever were.</summary>
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

    /// <summary>Adds a transport where there is room.</summary>
    /// <param name="added">The transport.</param>
    /// <param name="prepare">Called before anybody can find it. Must be fast.</param>
    /// <exception cref="ArgumentException">It is in the pool.</exception>
    /// <exception cref="ObjectDisposedException">The pool takes nothing more.</exception>
    public bool TryAdd(PooledTransport added, Action prepare)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(TransportManager));
            if (_transports.ContainsKey(added.Transport.Id))
            {
                throw new ArgumentException("The transport is in the pool already.", nameof(added));
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

    /// <summary>Takes a transport out; whoever gets <see langword="true"/> closes it.</summary>
    public bool TryRemove(PooledTransport transport)
    {
        lock (_gate)
        {
            return _transports.Remove(transport.Transport.Id);
        }
    }

    /// <summary>From now on nothing is added.</summary>
    /// <returns>Whether this call closed it.</returns>
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
