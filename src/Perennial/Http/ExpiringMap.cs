namespace Perennial;

/// <summary>A map whose entries expire. If it is full, the oldest entry is removed. Thread safe.</summary>
/// <param name="capacity">The largest number of entries.</param>
/// <param name="time">The clock.</param>
internal sealed class ExpiringMap<T>(int capacity, TimeProvider time)
    where T : struct
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Gets a value that is younger than <paramref name="expiry"/>, or <see langword="null"/>.</summary>
    public T? Find(string key, TimeSpan expiry)
    {
        lock (_gate)
        {
            return FindLocked(key, expiry);
        }
    }

    /// <summary>Adds a value. The same value again does not extend the entry's life.</summary>
    public void Remember(string key, T value, TimeSpan expiry)
    {
        lock (_gate)
        {
            if (FindLocked(key, expiry) is { } known && EqualityComparer<T>.Default.Equals(known, value))
            {
                return;
            }

            if (_entries.Count >= capacity && !_entries.ContainsKey(key))
            {
                _entries.Remove(_entries.MinBy(static entry => entry.Value.At).Key);
            }

            _entries[key] = new Entry(value, time.GetTimestamp());
        }
    }

    /// <summary>Removes an entry if it still has this value.</summary>
    public void Forget(string key, T value)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(key, out var entry) && EqualityComparer<T>.Default.Equals(entry.Value, value))
            {
                _entries.Remove(key);
            }
        }
    }

    /// <summary>Removes all entries.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _entries.Clear();
        }
    }

    private T? FindLocked(string key, TimeSpan expiry)
    {
        if (!_entries.TryGetValue(key, out var entry))
        {
            return null;
        }

        if (time.GetElapsedTime(entry.At) < expiry)
        {
            return entry.Value;
        }

        _entries.Remove(key);
        return null;
    }

    private readonly record struct Entry(T Value, long At);
}
