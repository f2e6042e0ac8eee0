using Perennial.Wire;

namespace Perennial.AspNetCore;

/// <summary>The status of a run: whether it goes on, or how it ended. All values except <see cref="Running"/> are final.</summary>
/// <remarks>Stores keep the numbers, so they do not change.</remarks>
public enum RunStatus
{
    /// <summary>The run goes on: more events may come.</summary>
    Running = 0,

    /// <summary>The producer returned.</summary>
    Completed = 1,

    /// <summary>The run was stopped, by <c>DELETE</c> or <see cref="StreamRun.StopAsync"/>.</summary>
    Stopped = 2,

    /// <summary>The producer threw, or the run reached its size limit.</summary>
    Failed = 3,
}

internal static class RunStatusNames
{
    /// <summary>Returns the status as text for headers, JSON and metrics.</summary>
    public static string Name(this RunStatus status) => status switch
    {
        RunStatus.Running => StatusNames.Running,
        RunStatus.Completed => StatusNames.Completed,
        RunStatus.Stopped => StatusNames.Stopped,
        _ => StatusNames.Failed,
    };
}
