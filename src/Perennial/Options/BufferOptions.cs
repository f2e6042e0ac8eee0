namespace Perennial;

/// <summary>Options for the buffer that holds received messages until the application reads them.</summary>
public sealed record BufferOptions
{
    /// <summary>
    /// Gets the number of messages that may wait. Default 1000; 1 to 1,000,000. In <see cref="BufferFullMode.Unlimited"/> it only
    /// determines the high-water mark.
    /// </summary>
    public int Capacity { get; init; } = 1000;

    /// <summary>
    /// Gets what the transport does when the buffer is full. Default <see cref="BufferFullMode.Block"/>, which loses no message.
    /// </summary>
    public BufferFullMode FullMode { get; init; }

    /// <summary>
    /// Gets the share of <see cref="Capacity"/> at which <see cref="Transport.Backpressure"/> is raised when the buffer fills, and
    /// <see cref="Transport.Drained"/> when it empties. Default 0.8; above 0, at most 1.
    /// </summary>
    public double HighWaterMark { get; init; } = 0.8;

    internal int MarkSize => Math.Max(1, (int)Math.Ceiling(Capacity * HighWaterMark));

    internal void Validate()
    {
        OptionCheck.Range(Capacity, 1, 1_000_000, $"Buffer.{nameof(Capacity)}");
        OptionCheck.Defined(FullMode, $"Buffer.{nameof(FullMode)}");
        OptionCheck.Range(HighWaterMark, double.Epsilon, 1, $"Buffer.{nameof(HighWaterMark)}", "above 0 and at most 1");
    }
}

/// <summary>Specifies what the transport does when a message arrives and the buffer is full.</summary>
public enum BufferFullMode
{
    /// <summary>Stop reading from the socket until there is room. A slow reader slows down the sender, and no message is lost.</summary>
    Block,

    /// <summary>Drop the message that has waited longest. Dropped messages are counted and announced.</summary>
    DropOldest,

    /// <summary>Drop the message that has just arrived. Dropped messages are counted and announced.</summary>
    DropNewest,

    /// <summary>Keep every message. Only memory limits the buffer.</summary>
    Unlimited,
}
