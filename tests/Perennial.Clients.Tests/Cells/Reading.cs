using System.Text.Json.Nodes;

namespace Perennial.Clients.Tests.Cells;

/// <summary>What a client handed over to its application, in the same words for all clients.</summary>
/// <param name="Text">The text of the answer.</param>
/// <param name="Calls">The tool calls, one after the other.</param>
/// <param name="Usage">The tokens; null if the client knows of none.</param>
internal sealed record Reading(string Text, string Calls, string? Usage)
{
    /// <summary>A tool call in the words that all clients share: spaces in its arguments do not count.</summary>
    public static string Call(string name, string arguments) => $"{name} {JsonNode.Parse(arguments)!.ToJsonString()};";

    public static string Tokens(long? input, long? output) => FormattableString.Invariant($"{input} in, {output} out");
}
