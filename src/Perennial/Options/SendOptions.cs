namespace Perennial;

/// <summary>Options for sending messages.</summary>
public sealed record SendOptions
{
    /// <summary>
    /// Gets the number of messages that may wait, including sent messages without an answer. Default 256; 1 to 100,000. A further send
    /// fails at once.
    /// </summary>
    public int QueueCapacity { get; init; } = 256;

    /// <summary>Gets the size of the largest message, in bytes. Default 4 MiB; 1 to 1 GiB.</summary>
    public int MaxMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Gets how long one attempt to send a message may take, from the time a connection takes the message until its outcome is known. The
    /// time before that, in which the message waits for a connection, is not limited. If the protocol sends the message again on the next
    /// connection, the time starts again. While the application does not read received messages, the time stands still. Default 30 s; 1 ms
    /// to 1 h.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets the number of requests that may wait for replies. Default 1024; 1 to 100,000. A further request fails at once.
    /// </summary>
    public int MaxOutstandingRequests { get; init; } = 1024;

    internal void Validate()
    {
        OptionCheck.Range(QueueCapacity, 1, 100_000, $"Send.{nameof(QueueCapacity)}");
        OptionCheck.Range(MaxMessageBytes, 1, 1024 * 1024 * 1024, $"Send.{nameof(MaxMessageBytes)}");
        OptionCheck.Range(Timeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1), $"Send.{nameof(Timeout)}");
        OptionCheck.Range(MaxOutstandingRequests, 1, 100_000, $"Send.{nameof(MaxOutstandingRequests)}");
    }
}
