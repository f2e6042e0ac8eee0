namespace Perennial.AspNetCore;

/// <summary>Whether a run goes on, and if not, how it ended. Everything but <see cref="Running"/> is final.</summary>
public enum RunStatus
{
    /// <summary>The log is open: more events may come.</summary>
    Running,

    /// <summary>The producer returned.</summary>
    Completed,

    /// <summary>Somebody asked for the end: <c>DELETE</c> on the run or <see cref="StreamRun.StopAsync"/>.</summary>
    Stopped,

    /// <summary>The producer threw, or the run hit its size limit.</summary>
    Failed,
}
