namespace Perennial;

/// <summary>The data of <see cref="Transport.Connecting"/>: an attempt to connect begins.</summary>
public sealed record ConnectingEvent
{
    /// <summary>Gets the number of the attempt: 0 for the first try, then the number of the reconnect attempt.</summary>
    public required int Attempt { get; init; }
}

/// <summary>The data of <see cref="Transport.Connected"/>: a connection is established.</summary>
public sealed record ConnectedEvent
{
    /// <summary>Gets the number of the attempt that succeeded: 0 for the first try, then the number of the reconnect attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>Gets the id after which the server was asked to resume, or <see langword="null"/>.</summary>
    public string? ResumedFrom { get; init; }

    /// <summary>Returns the attempt and whether it resumed, without the id. Safe to log.</summary>
    public override string ToString() =>
        $"{nameof(ConnectedEvent)} {{ {nameof(Attempt)} = {Attempt}, resumed = {ResumedFrom is not null} }}";
}

/// <summary>
/// The data of <see cref="Transport.Reconnecting"/>: a connection was lost or could not be established, and another attempt follows after a
/// delay.
/// </summary>
public sealed record ReconnectingEvent
{
    /// <summary>Gets the number of the coming attempt, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>Gets the wait before it.</summary>
    public required TimeSpan Delay { get; init; }

    /// <summary>Gets how many attempts there may be: <see cref="ReconnectOptions.MaxAttempts"/>.</summary>
    public required int MaxAttempts { get; init; }
}

/// <summary>The data of <see cref="Transport.Completed"/>: the stream ended.</summary>
public sealed record CompletedEvent
{
    /// <summary>Gets how the stream ended: completed or stopped.</summary>
    public required StreamEnd End { get; init; }
}

/// <summary>The data of <see cref="Transport.ErrorOccurred"/>: an error occurred.</summary>
public sealed record ErrorEvent
{
    /// <summary>Gets the error.</summary>
    public required TransportException Exception { get; init; }

    /// <summary>Gets whether the stream goes on, perhaps after a reconnect.</summary>
    public required bool IsRecoverable { get; init; }

    /// <summary>Gets the state that the transport had at the error.</summary>
    public required TransportState State { get; init; }

    /// <summary>Gets the number of consecutive failures so far, this one included; 0 for an error that concerns no connection.</summary>
    public required int Attempt { get; init; }

    /// <summary>Gets the time of the error.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Gets the code of <see cref="Exception"/>.</summary>
    public TransportErrorCode Code => Exception.Code;
}

/// <summary>The data of <see cref="Transport.Closed"/>: the transport is closed. No event follows until it is connected again.</summary>
public sealed record ClosedEvent
{
    /// <summary>Gets how the stream ended.</summary>
    public required StreamEnd End { get; init; }
}

/// <summary>The data of <see cref="Transport.Backpressure"/>: the buffer filled to its high-water mark.</summary>
public sealed record BackpressureEvent
{
    /// <summary>Gets the number of messages that wait.</summary>
    public required int Size { get; init; }

    /// <summary>Gets how many messages may wait.</summary>
    public required int Capacity { get; init; }

    /// <summary>Gets the high-water mark, in messages.</summary>
    public required int Mark { get; init; }
}

/// <summary>The data of <see cref="Transport.Drained"/>: the buffer emptied below its high-water mark.</summary>
public sealed record DrainedEvent
{
    /// <summary>Gets the number of messages that wait.</summary>
    public required int Size { get; init; }
}

/// <summary>The data of <see cref="Transport.GapDetected"/>: messages are missing or may be repeated before the next one.</summary>
public sealed record GapEvent
{
    /// <summary>Gets how the gap is known.</summary>
    public required GapReason Reason { get; init; }

    /// <summary>Gets the id after which the server was asked to resume, or <see langword="null"/>.</summary>
    public string? RequestedId { get; init; }

    /// <summary>Gets the id of the next message if the server announced it, or <see langword="null"/>.</summary>
    public string? ResumesAt { get; init; }

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
public sealed record DroppedEvent
{
    /// <summary>Gets the number of messages that were dropped now.</summary>
    public required long Count { get; init; }

    /// <summary>Gets the number of messages that were dropped since the transport was created.</summary>
    public required long Total { get; init; }
}
