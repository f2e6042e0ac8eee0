
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Runs;

/// <summary>The request with a key that the current handler serves. Its key goes to the first run that the handler starts.</summary>
internal sealed class StartUnderWay(StartKey key)
{
    private static readonly AsyncLocal<StartUnderWay?> Current = new();

    private int _isTaken;

    /// <summary>Whether a run is recorded under the key.</summary>
    public bool HasRun { get; private set; }

    public StartKey Key => key;

    /// <summary>Makes this the request that is served, for the caller's asynchronous method and what it calls.</summary>
    public void Enter() => Current.Value = this;

    /// <summary>The request whose key a new run takes, until it is given back; null where there is none, or where another run has its key.</summary>
    public static StartUnderWay? Take() =>
        Current.Value is { } current && Interlocked.Exchange(ref current._isTaken, 1) == 0 ? current : null;

    public void Record() => HasRun = true;

    /// <summary>The run was not recorded, so the key is free for another one of this handler.</summary>
    public void GiveBack() => Volatile.Write(ref _isTaken, 0);
}
