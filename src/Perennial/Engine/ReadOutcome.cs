namespace Perennial;

/// <summary>Specifies whether a stream continues after a read.</summary>
public enum ReadOutcome
{
    /// <summary>The connection is open, and more bytes may arrive.</summary>
    More,

    /// <summary>The peer closed the connection in an orderly way. The transport's <see cref="EndOfStreamPolicy"/> applies.</summary>
    EndOfStream,

    /// <summary>The peer announced the end of the stream. The policy does not apply.</summary>
    Completed,

    /// <summary>The peer announced the end of the stream because its producer was stopped.</summary>
    Stopped,
}
