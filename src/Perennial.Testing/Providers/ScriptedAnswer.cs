using System.Collections.Immutable;
using System.Globalization;

namespace Perennial.Testing.Providers;

/// <summary>What a scripted provider answers, in no format yet. Immutable.</summary>
internal sealed record ScriptedAnswer
{
    public ImmutableArray<string> Deltas { get; init; } = ["Hello", ", ", "this ", "is ", "scripted", "."];

    public (string Name, string Arguments)? ToolCall { get; init; }

    public int InputTokens { get; init; } = 9;

    /// <summary>Null: as many as there are deltas.</summary>
    public int? CountedOutputTokens { get; init; }

    public int OutputTokens => CountedOutputTokens ?? Deltas.Length;

    public int TotalTokens => InputTokens + OutputTokens;

    public string Text => string.Concat(Deltas);

    public static ImmutableArray<string> NumberedDeltas(int count) =>
        [.. Enumerable.Range(0, count).Select(static number => string.Create(CultureInfo.InvariantCulture, $"t{number} "))];
}
