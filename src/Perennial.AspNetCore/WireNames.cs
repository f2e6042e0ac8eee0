namespace Perennial.AspNetCore;

/// <summary>The words that client and server have agreed on.</summary>
internal static class WireNames
{
    public const string LastEventIdHeader = "Last-Event-ID";
    public const string LastEventIdQuery = "lastEventId";
    public const string ProtocolHeader = "Perennial-Protocol";
    public const string HeartbeatHeader = "Perennial-Heartbeat";
    public const string CursorHeader = "Perennial-Cursor";
    public const string TailHeader = "Perennial-Tail";
    public const string StatusHeader = "Perennial-Status";

    public const string StartsHeader = "Perennial-Starts";
    public const string StartsOnce = "once";

    public const string ReservedEventPrefix = "perennial.";
    public const string RetryEvent = ReservedEventPrefix + "retry";
    public const string GapEvent = ReservedEventPrefix + "gap";

    public static string Of(RunStatus status) => status switch
    {
        RunStatus.Running => "running",
        RunStatus.Completed => "completed",
        RunStatus.Stopped => "stopped",
        _ => "failed",
    };
}
