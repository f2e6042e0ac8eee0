using Perennial.Clients.Tests.Cells;

namespace Perennial.Clients.Tests.Clients;

/// <summary>A client that is not ours, as its users call it.</summary>
/// <param name="Package">The package, such as <c>openai</c>.</param>
/// <param name="Registry">Where it is from: npm or NuGet.</param>
/// <param name="Provider">Who answers it.</param>
/// <param name="ReadAsync">Asks for an answer and reads it. Throws what the client throws.</param>
internal sealed record OfficialClient(
    string Package, string Registry, ScriptedProvider Provider, Func<Ask, CancellationToken, Task<Reading>> ReadAsync)
{
    private const string Tool = "weather";
    private const string ToolArguments = """{"city":"Paris"}""";

    public static IReadOnlyList<OfficialClient> All { get; } = [.. NpmClients.All, .. NuGetClients.All];

    /// <summary>What answers it: the provider, with a call of a tool where the dialect has such calls.</summary>
    public ScriptedProvider Script => HasToolCalls ? Provider.WithToolCall(Tool, ToolArguments) : Provider;

    public bool NeedsNode => Registry is "npm";

    /// <summary>Whether it repeats a prompt by itself after a lost connection, and says so by <c>x-stainless-retry-count</c>.</summary>
    public bool RepeatsPrompts => Package is "openai" or "@anthropic-ai/sdk";

    /// <summary>Whether its API has answers that are not streamed.</summary>
    public bool HasPlainAnswers =>
        Provider.Dialect != Dialects.AISdk && Provider.Dialect != Dialects.AGUI && Provider.Dialect != Dialects.Mcp;

    public bool HasToolCalls => Provider.Dialect != Dialects.Mcp && Provider.Dialect != Dialects.A2A;

    /// <summary>What it reads from a whole answer.</summary>
    public Reading WholeReading =>
        new(Provider.Text, HasToolCalls ? Reading.Call(Tool, ToolArguments) : "", Reading.Tokens(9, 6));

    /// <summary>Whether it waits for its own time limit when an answer breaks off.</summary>
    public bool WaitsForMore => Provider.Dialect == Dialects.Mcp;

    public override string ToString() => $"{Package} ({Registry}), {Provider.Dialect}";
}
