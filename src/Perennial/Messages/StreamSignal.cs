namespace Perennial;

/// <summary>What a message means for its stream beyond its payload.</summary>
public enum StreamSignal
{
    /// <summary>An ordinary message.</summary>
    None,

    /// <summary>The end of the stream; the message itself is not delivered.</summary>
    Completed,

    /// <summary>The last message: delivered, then the stream is complete.</summary>
    DeliveredThenCompleted,

    /// <summary>The producer was stopped on request; the message itself is not delivered.</summary>
    Stopped,

    /// <summary>The producer failed and the stream is over; the message describes why and is not delivered.</summary>
    Failed,

    /// <summary>An error the server reports within a stream that goes on: announced as recoverable, and delivered.</summary>
    Error,

    /// <summary>Messages are missing before the next one; the message describes it and is not delivered.</summary>
    Gap,

    /// <summary>Not what the protocol promises: announced as a recoverable error and not delivered; the rest flows.</summary>
    Malformed,

    /// <summary>Protocol noise: not delivered.</summary>
    Ignored,
}

/// <summary>Decides what a message means for its stream. Called once a message, but for replies to requests, on the reading path: it must be fast and must not throw.</summary>
/// <param name="message">The message to judge.</param>
public delegate StreamSignal MessageClassifier(in StreamMessage message);

/// <summary>What a response that ends in good order, without an end marker, means.</summary>
public enum EndOfStreamPolicy
{
    /// <summary>The end of the response is the end of the stream.</summary>
    Complete,

    /// <summary>An end without the marker is a lost connection: reconnect and resume.</summary>
    RequireMarker,

    /// <summary>The stream is a feed that never ends: reconnect and resume.</summary>
    Reconnect,
}
