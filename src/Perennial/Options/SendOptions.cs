namespace Perennial;

/// <summary>How outgoing messages wait for a connection.</summary>
public sealed record SendOptions
{
    /// <summary>Messages that may wait, those without an answer included. Default 256; 1 to 100,000. A send beyond it fails at once.</summary>
    public int QueueCapacity { get; init; } = 256;

    /// <summary>The largest message, in bytes. Default 4 MiB; 1 to 1 GiB.</summary>
    public int MaxMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// How long one try of one message may take, from when a connection takes it to what the protocol knows of its fate; the wait before
    /// that has no limit but the transport's end. Where the protocol repeats messages on the next connection, its time begins anew there,
    /// and while nobody reads it stands still. Default 30 s; 1 ms to 1 h.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Requests that may wait for replies at a time. Default 1024; 1 to 100,000. A request beyond it fails at once.</summary>
    public int MaxOutstandingRequests { get; init; } = 1024;

    internal void Validate()
    {
        OptionCheck.Range(QueueCapacity, 1, 100_000, $"Send.{nameof(QueueCapacity)}");
        OptionCheck.Range(MaxMessageBytes, 1, 1024 * 1024 * 1024, $"Send.{nameof(MaxMessageBytes)}");
        OptionCheck.Range(Timeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1), $"Send.{nameof(Timeout)}");
        OptionCheck.Range(MaxOutstandingRequests, 1, 100_000, $"Send.{nameof(MaxOutstandingRequests)}");
    }
}
