namespace Perennial;

/// <summary>The data of <see cref="Transport.Connecting"/>: an attempt to connect begins.</summary>
/// <param name="Attempt">0 for the first attempt, then the number of the reconnect attempt.</param>
public sealed record ConnectingEvent(int Attempt);

/// <summary>The data of <see cref="Transport.Connected"/>: a connection is established.</summary>
/// <param name="Attempt">0 for the first attempt, then the number of the reconnect attempt that succeeded.</param>
/// <param name="ResumedFrom">The id after which the server was requested to resume, or <see langword="null"/>.</param>
public sealed record ConnectedEvent(int Attempt, string? ResumedFrom)
{
    /// <summary>Returns the attempt and whether it resumed, without the id. Safe to log.</summary>
    public override string ToString() => $"{nameof(ConnectedEvent)} {{ {nameof(Attempt)} = {Attempt}, resumed = {ResumedFrom is not null} }}";
}

/// <summary>
/// The data of <see cref="Transport.Reconnecting"/>: a connection was lost or could not be established, and another attempt follows after a
/// delay.
/// </summary>
/// <param name="Attempt">The number of the next attempt, from 1.</param>
/// <param name="Delay">The delay before the next attempt.</param>
/// <param name="MaxAttempts">The largest number of attempts: <see cref="ReconnectOptions.MaxAttempts"/>.</param>
public sealed record ReconnectingEvent(int Attempt, TimeSpan Delay, int MaxAttempts);

/// <summary>The data of <see cref="Transport.Completed"/>: the stream ended.</summary>
/// <param name="End">How the stream ended: completed or stopped.</param>
public sealed record CompletedEvent(StreamEnd End);

/// <summary>The data of <see cref="Transport.ErrorOccurred"/>: an error occurred.</summary>
/// <param name="Exception">The error.</param>
/// <param name="IsRecoverable">Whether the stream continues, perhaps after a reconnect.</param>
/// <param name="State">The transport's state when the error occurred.</param>
/// <param name="Attempt">The number of consecutive failures, including this one. 0 for an error that did not affect a connection.</param>
/// <param name="Time">The time of the error.</param>
public sealed record ErrorEvent(TransportException Exception, bool IsRecoverable, TransportState State, int Attempt, DateTimeOffset Time)
{
    /// <summary>Gets the code of <see cref="Exception"/>.</summary>
    public TransportErrorCode Code => Exception.Code;
}

/// <summary>The data of <see cref="Transport.Closed"/>: the transport is closed. No event follows until it is connected again.</summary>
/// <param name="End">How the stream ended.</param>
public sealed record ClosedEvent(StreamEnd End);

/// <summary>The data of <see cref="Transport.Backpressure"/>: the buffer filled to its high-water mark.</summary>
/// <param name="Size">The number of waiting messages.</param>
/// <param name="Capacity">The number of messages that may wait.</param>
/// <param name="Mark">The high-water mark, in messages.</param>
public sealed record BackpressureEvent(int Size, int Capacity, int Mark);

/// <summary>The data of <see cref="Transport.Drained"/>: the buffer emptied below its high-water mark.</summary>
/// <param name="Size">The number of waiting messages.</param>
public sealed record DrainedEvent(int Size);

/// <summary>The data of <see cref="Transport.GapDetected"/>: messages are missing or may be repeated before the next one.</summary>
/// <param name="Reason">How the gap was detected.</param>
/// <param name="RequestedId">The id after which the server was requested to resume, or <see langword="null"/>.</param>
/// <param name="ResumesAt">The id of the next message, or <see langword="null"/> if the server did not send it.</param>
public sealed record GapEvent(GapReason Reason, string? RequestedId, string? ResumesAt)
{
    /// <summary>Returns the reason, without ids. Safe to log.</summary>
    public override string ToString() => $"{nameof(GapEvent)} {{ {nameof(Reason)} = {Reason} }}";
}

/// <summary>Specifies how a gap was detected.</summary>
public enum GapReason
{
    /// <summary>The server announced that it cannot resume after the requested id.</summary>
    AnnouncedByServer,

    /// <summary>The connection was lost, and the server does not number its messages.</summary>
    NotNumbered,
}

/// <summary>The data of <see cref="Transport.MessagesDropped"/>: messages were dropped because the buffer was full.</summary>
/// <param name="Count">The number of messages dropped since the last event.</param>
/// <param name="Total">The number of messages dropped since the transport was created.</param>
public sealed record DroppedEvent(long Count, long Total);
