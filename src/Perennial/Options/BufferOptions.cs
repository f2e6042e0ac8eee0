namespace Perennial;

/// <summary>How messages wait between the socket and their reader.</summary>
public sealed record BufferOptions
{
    /// <summary>Messages that may wait. Default 1000; 1 to 1,000,000. In <see cref="BufferFullMode.Unlimited"/> it only places the mark.</summary>
    public int Capacity { get; init; } = 1000;

    /// <summary>What happens when the buffer is full. Default <see cref="BufferFullMode.Block"/>, which loses nothing.</summary>
    public BufferFullMode FullMode { get; init; }

    /// <summary>
    /// The share of <see cref="Capacity"/> at which <see cref="Transport.Backpressure"/> is raised on the way up and
    /// <see cref="Transport.Drained"/> on the way down. Default 0.8; above 0, at most 1.
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

/// <summary>What happens when a message arrives and the buffer is full.</summary>
public enum BufferFullMode
{
    /// <summary>Stop reading from the socket until there is room: a slow reader slows the sender, and nothing is lost.</summary>
    Block,

    /// <summary>Drop the message that waited longest. Counted and announced.</summary>
    DropOldest,

    /// <summary>Drop the message that just arrived. Counted and announced.</summary>
    DropNewest,

    /// <summary>Keep everything; memory is the limit.</summary>
    Unlimited,
}
