namespace Perennial;

/// <summary>An attempt to connect begins.</summary>
/// <param name="Attempt">0 for the first try, then the number of the reconnect attempt.</param>
public sealed record ConnectingEvent(int Attempt);

/// <summary>A connection stands.</summary>
/// <param name="Attempt">0 for the first try, then the number of the reconnect attempt that succeeded.</param>
/// <param name="ResumedFrom">The id the server was asked to resume after, or <see langword="null"/>.</param>
public sealed record ConnectedEvent(int Attempt, string? ResumedFrom)
{
    /// <summary>The attempt, and whether it resumed, without the id: safe to log.</summary>
    public override string ToString() => $"{nameof(ConnectedEvent)} {{ {nameof(Attempt)} = {Attempt}, resumed = {ResumedFrom is not null} }}";
}

/// <summary>A connection was lost or could not be made; another attempt follows after a wait.</summary>
/// <param name="Attempt">The number of the coming attempt, from 1.</param>
/// <param name="Delay">The wait before it.</param>
/// <param name="MaxAttempts">How many there may be: <see cref="ReconnectOptions.MaxAttempts"/>.</param>
public sealed record ReconnectingEvent(int Attempt, TimeSpan Delay, int MaxAttempts);

/// <summary>The stream reached its end.</summary>
/// <param name="End">Completed or stopped.</param>
public sealed record CompletedEvent(StreamEnd End);

/// <summary>Something went wrong.</summary>
/// <param name="Exception">What.</param>
/// <param name="IsRecoverable">Whether the stream goes on, perhaps after a reconnect.</param>
/// <param name="State">The transport's state when it went wrong.</param>
/// <param name="Attempt">Consecutive failures so far, this one included; 0 for an error that touched no connection.</param>
/// <param name="Time">When.</param>
public sealed record ErrorEvent(TransportException Exception, bool IsRecoverable, TransportState State, int Attempt, DateTimeOffset Time)
{
    /// <summary>The code of <see cref="Exception"/>.</summary>
    public TransportErrorCode Code => Exception.Code;
}

/// <summary>The transport is closed; no event follows until it is connected again.</summary>
/// <param name="End">How the stream ended.</param>
public sealed record ClosedEvent(StreamEnd End);

/// <summary>The buffer filled up to its high-water mark.</summary>
/// <param name="Size">Messages waiting.</param>
/// <param name="Capacity">How many may wait.</param>
/// <param name="Mark">The high-water mark, in messages.</param>
public sealed record BackpressureEvent(int Size, int Capacity, int Mark);

/// <summary>The buffer emptied below its high-water mark.</summary>
/// <param name="Size">Messages waiting.</param>
public sealed record DrainedEvent(int Size);

/// <summary>Messages are missing, or may be repeated, before the next one.</summary>
/// <param name="Reason">How it is known.</param>
/// <param name="RequestedId">The id the server was asked to resume after, or <see langword="null"/>.</param>
/// <param name="ResumesAt">The id of the next message, where the server said so.</param>
public sealed record GapEvent(GapReason Reason, string? RequestedId, string? ResumesAt)
{
    /// <summary>The reason, without ids: safe to log.</summary>
    public override string ToString() => $"{nameof(GapEvent)} {{ {nameof(Reason)} = {Reason} }}";
}

/// <summary>How a gap came to be known.</summary>
public enum GapReason
{
    /// <summary>The server said that it cannot resume where it was asked to.</summary>
    AnnouncedByServer,

    /// <summary>The connection was lost, and the server does not number its messages.</summary>
    NotNumbered,
}

/// <summary>Messages were dropped because the buffer was full.</summary>
/// <param name="Count">How many just now.</param>
/// <param name="Total">How many since the transport was made.</param>
public sealed record DroppedEvent(long Count, long Total);
