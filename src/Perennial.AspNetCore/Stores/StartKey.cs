namespace Perennial.AspNetCore.Stores;

/// <summary>By what a store knows the repeat of a request that starts a run.</summary>
public sealed record StartKey
{
    /// <summary>Gets the name, which requests with the same key of the same sender share. A hash, 44 characters.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the fingerprint, which requests that ask for the same share. A hash, 44 characters.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Gets the id of this request, which no other one shares.</summary>
    public required Guid Request { get; init; }
}

/// <summary>What a request with a key may do.</summary>
public readonly record struct StartClaim
{
    /// <summary>Gets whether the request may start the run.</summary>
    public required StartClaimOutcome Outcome { get; init; }

    /// <summary>Gets the run that was started; null if there is none.</summary>
    public string? RunId { get; init; }
}

/// <summary>Whether a request may start the run of its key.</summary>
public enum StartClaimOutcome
{
    /// <summary>The request may start the run. Other requests with the key wait until it has recorded a run or released the key.</summary>
    Claimed,

    /// <summary>Another request has claimed the key, and has neither recorded a run nor released the key yet.</summary>
    UnderWay,

    /// <summary>The run was started.</summary>
    Started,

    /// <summary>The key was claimed by a request with another fingerprint.</summary>
    OtherRequest,
}
