namespace Perennial.Testing.Providers;

/// <summary>How an answer ends.</summary>
internal enum EndingKind
{
    Whole,
    Cut,
    CutInside,
    Reset,
    Fail,
    Refuse,
    ResetUnanswered,
}

/// <summary>How an answer ends, and after how many events.</summary>
internal sealed record AnswerEnding(EndingKind Kind, int After = 0)
{
    public static AnswerEnding Whole { get; } = new(EndingKind.Whole);

    public ProviderError Error { get; init; } = new(null, null);

    /// <summary>The status of a refusal.</summary>
    public int Status { get; init; } = 500;

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];
}

/// <summary>An error of a provider; null: what is usual in the format.</summary>
internal sealed record ProviderError(string? Code, string? Message)
{
    public string Text => Message ?? "The scripted provider failed.";
}
