using System.Runtime.InteropServices;

namespace Perennial.AspNetCore.Stores;

/// <summary>The runs in memory by owner, and the open ones by key. Safe from any thread.</summary>
internal sealed class MemoryListings
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SortedList<long, MemoryRunLog>> _byOwner = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedList<long, MemoryRunLog>> _byKey = new(StringComparer.Ordinal);
    private long _added;

    public void Add(MemoryRunLog run)
    {
        if (run.Description is { Owner: null, Key: null })
        {
            return;
        }

        lock (_gate)
        {
            run.Place = ++_added;
            AddLocked(_byOwner, run.Description.Owner, run);
            AddLocked(_byKey, run.Description.Key, run);
        }
    }

    /// <summary>Called when a run has ended: its key has it no longer.</summary>
    public void OnEnded(MemoryRunLog run)
    {
        if (run.Description.Key is not null)
        {
            lock (_gate)
            {
                RemoveLocked(_byKey, run.Description.Key, run);
            }
        }
    }

    /// <summary>Called when a run is forgotten.</summary>
    public void Remove(MemoryRunLog run)
    {
        if (run.Description.Owner is not null)
        {
            lock (_gate)
            {
                RemoveLocked(_byOwner, run.Description.Owner, run);
            }
        }
    }

    public RunLog? FindByKey(string key)
    {
        lock (_gate)
        {
            return _byKey.TryGetValue(key, out var runs) ? runs.GetValueAtIndex(runs.Count - 1) : null;
        }
    }

    public RunLogPage FindByOwner(string owner, int count, long? before)
    {
        lock (_gate)
        {
            if (!_byOwner.TryGetValue(owner, out var runs))
            {
                return RunLogPage.Empty;
            }

            var end = before is { } limit ? CountBelow(runs, limit) : runs.Count;
            var start = Math.Max(0, end - count);
            var page = new List<RunLog>(end - start);
            for (var n = end - 1; n >= start; n--)
            {
                page.Add(runs.GetValueAtIndex(n));
            }

            return new RunLogPage { Runs = page, Next = start > 0 ? runs.GetKeyAtIndex(start) : null };
        }
    }

    private static int CountBelow(SortedList<long, MemoryRunLog> runs, long limit)
    {
        var (low, high) = (0, runs.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = runs.GetKeyAtIndex(middle) < limit ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private static void AddLocked(Dictionary<string, SortedList<long, MemoryRunLog>> index, string? name, MemoryRunLog run)
    {
        if (name is not null)
        {
            (CollectionsMarshal.GetValueRefOrAddDefault(index, name, out _) ??= []).Add(run.Place, run);
        }
    }

    private static void RemoveLocked(Dictionary<string, SortedList<long, MemoryRunLog>> index, string name, MemoryRunLog run)
    {
        if (index.TryGetValue(name, out var runs) && runs.Remove(run.Place) && runs.Count == 0)
        {
            index.Remove(name);
        }
    }
}
