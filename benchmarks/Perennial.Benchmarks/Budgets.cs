using System.Globalization;

namespace Perennial.Benchmarks;

/// <summary>What is promised of the costs, and whether this run kept it.</summary>
internal sealed class Budgets
{
    public const string SseBlocks = "SSE 250 B, 64 KiB blocks, CPU ns";
    public const string SseBlocksAnyCore = "the same with both cores";
    public const string SseChunks = "SSE 250 B, one chunk per event, CPU ns";
    public const string SseTokens = "SSE 30 B tokens, blocks, CPU ns";
    public const string JsonLinesChunks = "NDJSON 250 B, one chunk per line, CPU ns";
    public const string WebSocketText = "WebSocket 250 B text, CPU ns";
    public const string TypedJson = "SSE typed JSON 250 B, CPU ns";
    public const string Dialect = "SSE 250 B chat chunk in its dialect, CPU ns (rival: without)";
    public const string Parser = "parser alone, 250 B, ns";
    public const string Allocated = "allocated per message beyond its own bytes, B";
    public const string IdleHttp1 = "idle transport, SSE over HTTP/1.1, B";
    public const string IdleHttp2 = "idle transport, SSE over HTTP/2, B";
    public const string IdleWebSocket = "idle transport, WebSocket, B";
    public const string FirstEvent = "first event after connect, p50 ms";
    public const string AfterCut = "event to event over a cut, p50 ms";
    public const string Send = "send with acknowledgement over perennial.v1, CPU ns";
    public const string FanOut = "server, one run to 1,000 readers, CPU s per million";
    public const string FanOutBursts = "the same in bursts of eight";
    public const string IdleReader = "server, idle reader over SSE, B";

    private static readonly (string Work, string Budget, string Group)[] Rows =
    [
        (SseBlocks, "0.65 x rival", Groups.Streams),
        (SseBlocksAnyCore, "0.5 x rival", Groups.Streams),
        (SseChunks, "1.6 x floor", Groups.Streams),
        (SseTokens, "0.5 x rival", Groups.Streams),
        (JsonLinesChunks, "0.75 x rival", Groups.Streams),
        (WebSocketText, "1.1 x floor", Groups.Streams),
        (TypedJson, "0.85 x rival", Groups.Streams),
        (Dialect, "1.05 x rival", Groups.Streams),
        (Parser, "2 x floor", Groups.Parser),
        (Allocated, "16", Groups.Streams),
        (IdleHttp1, "floor + 2,048", Groups.Idle),
        (IdleHttp2, "floor + 2,048", Groups.Idle),
        (IdleWebSocket, "floor + 2,048", Groups.Idle),
        (FirstEvent, "floor + 0.1", Groups.Latency),
        (AfterCut, "floor + 0.3", Groups.Latency),
        (Send, "1.5 x floor", Groups.Sends),
        (FanOut, "1.25 x floor", Groups.FanOut),
        (FanOutBursts, "1 x rival", Groups.FanOut),
        (IdleReader, "18,432", Groups.Readers),
    ];

    private readonly Dictionary<string, Finding> _findings = new(StringComparer.Ordinal);

    /// <summary>Notes what was measured.</summary>
    /// <param name="work">The row.</param>
    /// <param name="floor">What the platform costs; null where there is none.</param>
    /// <param name="rival">What one would write by hand; null where nobody does.</param>
    /// <param name="ours">What Perennial costs.</param>
    /// <param name="most">What it may cost.</param>
    public void Note(string work, double? floor, double? rival, double ours, double most) =>
        _findings[work] = new Finding(floor, rival, ours, most);

    /// <summary>Prints every row, in the order of the promise.</summary>
    public void Print()
    {
        Console.WriteLine("| work | budget | floor | rival | Perennial | at most | met? |");
        Console.WriteLine("|---|---|---:|---:|---:|---:|---|");
        foreach (var (work, budget, group) in Rows)
        {
            Console.WriteLine(_findings.TryGetValue(work, out var found)
                ? $"| {work} | {budget} | {Text(found.Floor)} | {Text(found.Rival)} | {Text(found.Ours)} | {Text(found.Most)} | {(found.Ours <= found.Most ? "yes" : "no")} |"
                : $"| {work} | {budget} | | | | | not measured: --only {group} |");
        }
    }

    private static string Text(double? value) => value switch
    {
        null => "",
        >= 100 or <= -100 => value.Value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 or <= -10 => value.Value.ToString("N1", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("N3", CultureInfo.InvariantCulture),
    };

    private readonly record struct Finding(double? Floor, double? Rival, double Ours, double Most);
}

/// <summary>The parts of the suite, by the names after <c>--only</c>.</summary>
internal static class Groups
{
    public const string Streams = "streams";
    public const string Parser = "parser";
    public const string Idle = "idle";
    public const string Latency = "latency";
    public const string Sends = "sends";
    public const string FanOut = "fanout";
    public const string Readers = "readers";
    public const string Gateway = "gateway";
    public const string Delivery = "delivery";
    public const string Store = "store";
    public const string Growth = "growth";

    /// <summary>What runs where nothing is named: all that has a budget.</summary>
    public static string[] WithBudgets { get; } = [Streams, Parser, Idle, Latency, Sends, FanOut, Readers];

    /// <summary>What takes longer, or needs PostgreSQL, and is to be named.</summary>
    public static string[] Named { get; } = [Gateway, Delivery, Store, Growth];
}
