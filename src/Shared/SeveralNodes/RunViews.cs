using System.Collections.Concurrent;
using Perennial.GroupCommit;

namespace Perennial.SeveralNodes;

/// <summary>One view for each run in use on this node. Safe from any thread.</summary>
/// <remarks>
/// Views without a reference are left to the garbage collector. A view with subscribers is referenced here, because a waiting reader may be
/// reachable only through its signal.
/// </remarks>
internal sealed class RunViews(RecordCache cache, IRunReads reads)
{
    private const int FewViews = 1000;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, WeakReference<RunView>> _known = [];
    private readonly ConcurrentDictionary<long, RunView> _watched = new();
    private int _cleanAt = FewViews;

    /// <summary>The views with subscribers.</summary>
    public IEnumerable<RunView> Watched => _watched.Values;

    public RunView Of(RunKey key)
    {
        lock (_gate)
        {
            if (_known.TryGetValue(key.Run, out var reference) && reference.TryGetTarget(out var known))
            {
                return known;
            }

            CleanLocked();
            var view = new RunView(key, this, cache, reads);
            _known[key.Run] = new WeakReference<RunView>(view);
            return view;
        }
    }

    public RunView? WatchedOf(long run) => _watched.GetValueOrDefault(run);

    public void Watch(RunView view) => _watched[view.Key.Run] = view;

    public void Unwatch(RunView view) => _watched.TryRemove(view.Key.Run, out _);

    public void MarkAllStale()
    {
        foreach (var view in Watched)
        {
            view.MarkStale();
        }
    }

    private void CleanLocked()
    {
        if (_known.Count < _cleanAt)
        {
            return;
        }

        foreach (var (run, reference) in _known)
        {
            if (!reference.TryGetTarget(out _))
            {
                _known.Remove(run);
            }
        }

        _cleanAt = Math.Max(FewViews, _known.Count * 2);
    }
}
