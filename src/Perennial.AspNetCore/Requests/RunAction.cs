namespace Perennial.AspNetCore;

/// <summary>What somebody wants of a run.</summary>
public enum RunAction
{
    /// <summary>Read it from its first event, or ask where its tail is.</summary>
    Read,

    /// <summary>Read on after an event.</summary>
    Resume,

    /// <summary>Send its producer a message.</summary>
    Send,

    /// <summary>End it.</summary>
    Stop,
}
