
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Runs;

/// <summary>The request with a key whose handler is running. The first run that the handler starts gets the key.</summary>
internal sealed class StartUnderWay(StartKey key)
{
    private static readonly AsyncLocal<StartUnderWay?> Current = new();

    private int _isTaken;

    /// <summary>Whether a run is recorded under the key.</summary>
    public bool HasRecordedRun { get; private set; }

    public StartKey Key => key;

    /// <summary>Makes this the current request, for the caller's asynchronous method and the methods that it calls.</summary>
    public void MakeCurrent() => Current.Value = this;

    /// <summary>
    /// Takes the current request for a new run, which gets its key. Null if there is no such request, or if another run has its key.
    /// </summary>
    public static StartUnderWay? Take() =>
        Current.Value is { } current && Interlocked.Exchange(ref current._isTaken, 1) == 0 ? current : null;

    public void Record() => HasRecordedRun = true;

    /// <summary>Frees the key for another run of this handler, because the run was not recorded.</summary>
    public void GiveBack() => Volatile.Write(ref _isTaken, 0);
}
