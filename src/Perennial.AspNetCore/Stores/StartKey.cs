namespace Perennial.AspNetCore.Stores;

/// <summary>Identifies a request that starts a run, and its repeats.</summary>
public sealed record StartKey
{
    /// <summary>Gets the name, equal for requests with the same key of the same sender. A hash, 44 characters.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the fingerprint, equal for requests with the same method, URL, content type and body. A hash, 44 characters.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Gets the unique id of this request.</summary>
    public required Guid Request { get; init; }
}

/// <summary>The result of claiming a key.</summary>
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
