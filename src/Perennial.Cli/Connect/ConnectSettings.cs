namespace Perennial.Cli.Connect;

/// <summary>The arguments of <c>connect</c>. <see langword="null"/> means the library's default.</summary>
internal sealed record ConnectSettings
{
    public required string Url { get; init; }

    public required TransportKind Transport { get; init; }

    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    public string? Method { get; init; }

    public string? Data { get; init; }

    public string? LastEventId { get; init; }

    public TimeSpan? RetryDelay { get; init; }

    public TimeSpan? MaxRetryDelay { get; init; }

    public int? MaxAttempts { get; init; }

    public bool NoReconnect { get; init; }

    public bool NoJitter { get; init; }

    public TimeSpan? IdleTimeout { get; init; }

    public TimeSpan? ConnectTimeout { get; init; }

    public TimeSpan? Heartbeat { get; init; }

    public required IReadOnlyList<string> SubProtocols { get; init; }

    public string? Dialect { get; init; }

    public EndOfStreamPolicy OnEnd { get; init; }

    public int? BufferSize { get; init; }

    public BufferFullMode BufferStrategy { get; init; }

    public int? MaxMessageBytes { get; init; }

    public bool AllowReplay { get; init; }

    public required IReadOnlyList<string> Sends { get; init; }

    public int? Take { get; init; }

    public bool Json { get; init; }

    public bool Verbose { get; init; }
}

/// <summary>The values of <c>--transport</c>.</summary>
internal enum TransportKind
{
    Auto,
    Sse,
    WebSocket,
    HttpStream,
    LongPoll,
    ByteStream,
}
