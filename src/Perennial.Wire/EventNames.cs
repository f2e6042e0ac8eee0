namespace Perennial.Wire;

/// <summary>The names of the protocol's own events (docs/protocol.md).</summary>
internal static class EventNames
{
    /// <summary>The prefix of every such name. Events of a producer must not have it.</summary>
    public const string ReservedPrefix = "perennial.";

    public const string Completed = ReservedPrefix + StatusNames.Completed;
    public const string Stopped = ReservedPrefix + StatusNames.Stopped;
    public const string Failed = ReservedPrefix + StatusNames.Failed;
    public const string Gap = ReservedPrefix + "gap";
    public const string Retry = ReservedPrefix + "retry";
    public const string Heartbeat = ReservedPrefix + "heartbeat";
    public const string Hello = ReservedPrefix + "hello";
    public const string Acknowledgement = ReservedPrefix + "ack";
    public const string Refusal = ReservedPrefix + "refused";

    /// <summary>Whether the name has the reserved prefix, known to this version or not.</summary>
    public static bool IsReserved(string? name) => name?.StartsWith(ReservedPrefix, StringComparison.Ordinal) == true;
}
