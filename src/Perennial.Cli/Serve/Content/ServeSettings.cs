namespace Perennial.Cli.Serve.Content;

/// <summary>The arguments of <c>serve</c>. <see langword="null"/> means that an argument is absent.</summary>
internal sealed record ServeSettings
{
    public required string Url { get; init; }

    public bool ReadsStandardInput { get; init; }

    public string? File { get; init; }

    public TimeSpan? Delay { get; init; }

    public string? Upstream { get; init; }

    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    public string? Method { get; init; }

    public string? Data { get; init; }

    public EndOfStreamPolicy OnEnd { get; init; }

    public bool IsDemo { get; init; }

    public bool IsStepped { get; init; }

    public string? PostgreSql { get; init; }

    public string? Store { get; init; }

    public bool Verbose { get; init; }
}
