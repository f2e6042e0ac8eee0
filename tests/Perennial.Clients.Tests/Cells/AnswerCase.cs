namespace Perennial.Clients.Tests.Cells;

/// <summary>What happens to an answer.</summary>
/// <param name="Name">A name for tables.</param>
/// <param name="Script">What the provider does. Null: the answer is whole.</param>
internal sealed record AnswerCase(string Name, Func<ScriptedProvider, int, ScriptedProvider>? Script)
{
    /// <summary>The message of the provider's error.</summary>
    public const string Message = "The scripted model is overloaded.";

    public static AnswerCase Whole { get; } = new("whole", null);

    public static AnswerCase Stall { get; } = new("stall", static (provider, _) => provider) { IsBroken = false };

    public static AnswerCase Plain { get; } = new("not streamed", null) { IsStreamed = false };

    public static AnswerCase Cut { get; } = new("clean cut", static (provider, middle) => provider.CutAfter(middle));

    public static AnswerCase CutBeforeEnd { get; } =
        new("clean cut before the end", static (provider, _) => provider.CutAfter(provider.EventCount - 1));

    public static AnswerCase CutInside { get; } = new("cut inside an event", static (provider, middle) => provider.CutInside(middle));

    public static AnswerCase Reset { get; } = new("reset", static (provider, middle) => provider.ResetAfter(middle));

    public static AnswerCase Error { get; } = new("error event", static (provider, middle) => provider.FailAfter(middle, null, Message));

    public static IReadOnlyList<AnswerCase> All { get; } = [Whole, Stall, Plain, Cut, CutBeforeEnd, CutInside, Reset, Error];

    public bool IsStreamed { get; private init; } = true;

    /// <summary>Whether the answer does not come to its end.</summary>
    public bool IsBroken { get; private init; } = Script is not null;

    /// <summary>
    /// The script. Before it goes wrong the provider stalls, in the middle of the answer, until the client has read something: otherwise it
    /// depends on chance whether the client has read the head of the response.
    /// </summary>
    public ScriptedProvider ScriptOf(ScriptedProvider provider)
    {
        var middle = provider.EventCount / 2;
        return Script is null ? provider : Script(provider, middle).StallAfter(middle);
    }

    public override string ToString() => Name;
}
