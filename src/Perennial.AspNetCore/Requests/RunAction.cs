namespace Perennial.AspNetCore;

/// <summary>The action of a client on a run.</summary>
public enum RunAction
{
    /// <summary>Read the run from its first event, or query its status.</summary>
    Read,

    /// <summary>Resume reading after an event.</summary>
    Resume,

    /// <summary>Send a message to the run's producer.</summary>
    Send,

    /// <summary>Stop the run.</summary>
    Stop,
}
