namespace Perennial.AspNetCore.Stores;

/// <summary>By what a store knows the repeat of a request that starts a run.</summary>
/// <param name="Name">The same for requests with the same key of the same sender. A hash, 44 characters.</param>
/// <param name="Fingerprint">The same for requests that ask for the same. A hash, 44 characters.</param>
/// <param name="Request">This request, which no other one shares.</param>
public sealed record StartKey(string Name, string Fingerprint, Guid Request);

/// <summary>What a request with a key may do.</summary>
/// <param name="Outcome">Whether it may start the run.</param>
/// <param name="RunId">The run that was started; null where there is none.</param>
public readonly record struct StartClaim(StartClaimOutcome Outcome, string? RunId = null);

/// <summary>Whether a request may start the run of its key.</summary>
public enum StartClaimOutcome
{
    /// <summary>It may. Other requests with the key wait until it has recorded a run or released the key.</summary>
    Claimed,

    /// <summary>Another request has claimed the key and neither recorded a run nor released the key yet.</summary>
    UnderWay,

    /// <summary>The run was started.</summary>
    Started,

    /// <summary>The key was claimed by a request with another fingerprint.</summary>
    OtherRequest,
}
