namespace Perennial.Wire;

/// <summary>The names of the events of the protocol itself (docs/protocol.md).</summary>
internal static class EventNames
{
    /// <summary>The beginning of every such name. A producer's events must not have it.</summary>
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

    /// <summary>Whether the name is one of the protocol's own, known or not.</summary>
    public static bool IsReserved(string? name) => name?.StartsWith(ReservedPrefix, StringComparison.Ordinal) == true;
}
