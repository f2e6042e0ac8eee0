using System.Diagnostics.CodeAnalysis;

namespace Perennial.AspNetCore.Stores;

/// <summary>The keys of starts in the memory of this process, bounded by age and by count. Safe from any thread.</summary>
internal sealed class MemoryStarts(StartOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<Start>> _starts = new(StringComparer.Ordinal);
    private readonly LinkedList<Start> _byAge = new();

    public StartClaim Claim(StartKey key)
    {
        lock (_gate)
        {
            ForgetOldLocked();
            if (_starts.TryGetValue(key.Name, out var known))
            {
                return known.Value.ClaimBy(key);
            }

            if (_starts.Count >= options.MaxKeys)
            {
                MakeRoomLocked();
            }

            _starts[key.Name] = _byAge.AddLast(new Start(key, time.GetTimestamp()));
            return new StartClaim { Outcome = StartClaimOutcome.Claimed };
        }
    }

    /// <summary>Records the run of a key.</summary>
    /// <exception cref="RunStoreException">The request no longer has the key.</exception>
    public void Record(StartKey key, string runId)
    {
        lock (_gate)
        {
            if (!TryGetLocked(key, out var start))
            {
                throw new RunStoreException("The request that starts the run no longer has its Idempotency-Key.");
            }

            start.Value.RunId = runId;
        }
    }

    public void Release(StartKey key)
    {
        lock (_gate)
        {
            if (TryGetLocked(key, out var start))
            {
                ForgetLocked(start);
            }
        }
    }

    private bool TryGetLocked(StartKey key, [NotNullWhen(true)] out LinkedListNode<Start>? start) =>
        _starts.TryGetValue(key.Name, out start) && start.Value.Key.Request == key.Request;

    private void ForgetOldLocked()
    {
        while (_byAge.First is { } oldest && time.GetElapsedTime(oldest.Value.ClaimedAt) >= options.KeyRetention)
        {
            ForgetLocked(oldest);
        }
    }

    // A key in use is forgotten last, because a repeat would start its run again.
    private void MakeRoomLocked()
    {
        var oldest = _byAge.First;
        while (oldest is { Value.RunId: null })
        {
            oldest = oldest.Next;
        }

        ForgetLocked(oldest ?? _byAge.First!);
    }

    private void ForgetLocked(LinkedListNode<Start> start)
    {
        _starts.Remove(start.Value.Key.Name);
        _byAge.Remove(start);
    }

    private sealed class Start(StartKey key, long claimedAt)
    {
        public StartKey Key => key;

        public long ClaimedAt => claimedAt;

        public string? RunId { get; set; }

        public StartClaim ClaimBy(StartKey other)
        {
            if (!string.Equals(other.Fingerprint, key.Fingerprint, StringComparison.Ordinal))
            {
                return new StartClaim { Outcome = StartClaimOutcome.OtherRequest };
            }

            if (RunId is not null)
            {
                return new StartClaim { Outcome = StartClaimOutcome.Started, RunId = RunId };
            }

            return new StartClaim { Outcome = other.Request == key.Request ? StartClaimOutcome.Claimed : StartClaimOutcome.UnderWay };
        }
    }
}
