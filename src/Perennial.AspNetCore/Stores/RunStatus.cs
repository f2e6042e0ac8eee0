using Perennial.Wire;

namespace Perennial.AspNetCore;

/// <summary>Whether a run goes on, and if not, how it ended. Everything but <see cref="Running"/> is final.</summary>
/// <remarks>Stores keep the numbers, so they do not change.</remarks>
public enum RunStatus
{
    /// <summary>The log is open: more events may come.</summary>
    Running = 0,

    /// <summary>The producer returned.</summary>
    Completed = 1,

    /// <summary>Somebody asked for the end: <c>DELETE</c> on the run or <see cref="StreamRun.StopAsync"/>.</summary>
    Stopped = 2,

    /// <summary>The producer threw, or the run hit its size limit.</summary>
    Failed = 3,
}

internal static class RunStatusNames
{
    /// <summary>The status as headers, JSON and instruments hold it.</summary>
    public static string Name(this RunStatus status) => status switch
    {
        RunStatus.Running => StatusNames.Running,
        RunStatus.Completed => StatusNames.Completed,
        RunStatus.Stopped => StatusNames.Stopped,
        _ => StatusNames.Failed,
    };
}
