namespace Perennial.Wire;

/// <summary>The names of the states of a run in headers and JSON. The name of an end event ends with one of them.</summary>
internal static class StatusNames
{
    public const string Running = "running";
    public const string Completed = "completed";
    public const string Stopped = "stopped";
    public const string Failed = "failed";
}
