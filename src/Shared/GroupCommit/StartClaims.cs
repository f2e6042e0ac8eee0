using Perennial.AspNetCore.Stores;

namespace Perennial.GroupCommit;

/// <summary>The answer to a claim of a key that is recorded already.</summary>
internal static class StartClaims
{
    /// <summary>Returns the answer to a claim.</summary>
    /// <param name="key">The claim.</param>
    /// <param name="fingerprint">The recorded fingerprint.</param>
    /// <param name="request">The request that has the key.</param>
    /// <param name="runId">The run of the key; null for none.</param>
    public static StartClaim Of(StartKey key, string fingerprint, Guid request, string? runId)
    {
        if (!string.Equals(fingerprint, key.Fingerprint, StringComparison.Ordinal))
        {
            return new StartClaim { Outcome = StartClaimOutcome.OtherRequest };
        }

        if (runId is not null)
        {
            return new StartClaim { Outcome = StartClaimOutcome.Started, RunId = runId };
        }

        return new StartClaim { Outcome = request == key.Request ? StartClaimOutcome.Claimed : StartClaimOutcome.UnderWay };
    }
}
