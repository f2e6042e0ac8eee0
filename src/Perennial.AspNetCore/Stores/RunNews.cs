namespace Perennial.AspNetCore.Stores;

/// <summary>What somebody who waits on a run waits for. The end of the run is news to everybody.</summary>
public enum RunNews
{
    /// <summary>Records, for a reader.</summary>
    Records,

    /// <summary>Messages, for the producer.</summary>
    Messages,
}
