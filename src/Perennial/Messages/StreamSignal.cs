namespace Perennial;

/// <summary>Specifies the effect of a message on its stream.</summary>
public enum StreamSignal
{
    /// <summary>An ordinary message.</summary>
    None,

    /// <summary>The message ends the stream and is not delivered.</summary>
    Completed,

    /// <summary>The message is the last one: it is delivered, and ends the stream.</summary>
    DeliveredThenCompleted,

    /// <summary>The producer was stopped as requested. The message ends the stream and is not delivered.</summary>
    Stopped,

    /// <summary>The producer failed. The message describes the error, ends the stream and is not delivered.</summary>
    Failed,

    /// <summary>
    /// The message reports an error after which the stream continues. The transport announces a recoverable error and delivers the message.
    /// </summary>
    Error,

    /// <summary>Messages are missing before the next one. The message describes the gap and is not delivered.</summary>
    Gap,

    /// <summary>
    /// The message violates the protocol. The transport announces a recoverable error and does not deliver it; the stream continues.
    /// </summary>
    Malformed,

    /// <summary>The message has no content for the application and is not delivered.</summary>
    Ignored,
}

/// <summary>
/// Determines the effect of a message on its stream. The transport calls it while it reads from the network, once per message in order,
/// except for replies to requests. It must be fast and must not throw.
/// </summary>
/// <param name="message">The message.</param>
public delegate StreamSignal MessageClassifier(in StreamMessage message);
