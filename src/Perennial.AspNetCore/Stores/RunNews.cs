namespace Perennial.AspNetCore.Stores;

/// <summary>The kinds of news of a run that a subscriber waits for. The end of the run is news for every subscriber.</summary>
public enum RunNews
{
    /// <summary>Records, for a reader.</summary>
    Records,

    /// <summary>Messages, for the producer.</summary>
    Messages,
}
