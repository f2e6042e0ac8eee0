using System.Diagnostics.Metrics;

namespace Perennial.Gateway.Diagnostics;

/// <summary>The gateway's instruments, with names, units and attributes in the style of OpenTelemetry's semantic conventions.</summary>
/// <remarks>
/// Attributes: <c>perennial.upstream</c> is host and port of the upstream, <c>perennial.dialect</c> the name of a stream's format, and
/// <c>perennial.outcome</c> what became of a request. No attribute contains a path, a header or a payload.
/// </remarks>
public static class GatewayTelemetry
{
    /// <summary>The name of the <see cref="Meter"/>.</summary>
    public const string Name = "Perennial.Gateway";

    private const string Upstream = "perennial.upstream";
    private const string Dialect = "perennial.dialect";
    private const string Outcome = "perennial.outcome";

    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "perennial.gateway.requests", "{request}", "Requests, by perennial.upstream and perennial.outcome.");

    private static readonly UpDownCounter<long> Active = Meter.CreateUpDownCounter<long>(
        "perennial.gateway.active_requests", "{request}", "Requests being served, by perennial.upstream.");

    private static readonly Histogram<double> FirstByte = Meter.CreateHistogram<double>(
        "perennial.gateway.first_byte.duration", "s", "Time from a request to the head of the upstream's response, by perennial.upstream.");

    private static readonly Counter<long> Paid = Meter.CreateCounter<long>(
        "perennial.gateway.paid",
        "{answer}",
        "Answers that the upstream began and the gateway recorded, by perennial.upstream and perennial.dialect.");

    private static readonly Counter<long> Cut = Meter.CreateCounter<long>(
        "perennial.gateway.cut", "{answer}", "Recorded answers that broke off or failed, by perennial.upstream and perennial.dialect.");

    private static readonly Counter<long> Resumed = Meter.CreateCounter<long>(
        "perennial.gateway.resumed",
        "{request}",
        "Requests that read a recorded answer again or further, by perennial.upstream and perennial.dialect.");

    private static readonly Counter<long> Joined = Meter.CreateCounter<long>(
        "perennial.gateway.joined",
        "{request}",
        "Repeats of a request that got its first answer, by perennial.upstream and perennial.dialect.");

    internal static void CountRequest(string upstream, string outcome) =>
        Requests.Add(1, new KeyValuePair<string, object?>(Upstream, upstream), new KeyValuePair<string, object?>(Outcome, outcome));

    internal static void CountActive(string upstream, int change) =>
        Active.Add(change, new KeyValuePair<string, object?>(Upstream, upstream));

    internal static void RecordFirstByte(string upstream, TimeSpan time) =>
        FirstByte.Record(time.TotalSeconds, new KeyValuePair<string, object?>(Upstream, upstream));

    internal static void CountPaid(string upstream, string? dialect) => Count(Paid, upstream, dialect);

    internal static void CountCut(string upstream, string? dialect) => Count(Cut, upstream, dialect);

    internal static void CountResumed(string upstream, string? dialect) => Count(Resumed, upstream, dialect);

    internal static void CountJoined(string upstream, string? dialect) => Count(Joined, upstream, dialect);

    // The name of an MCP answer goes on with the id of its request, which is no attribute.
    internal static string NameOf(string? dialect) =>
        dialect is null ? "none" : dialect.StartsWith($"{Dialects.Mcp.Name}:", StringComparison.Ordinal) ? Dialects.Mcp.Name : dialect;

    private static void Count(Counter<long> counter, string upstream, string? dialect) =>
        counter.Add(1, new KeyValuePair<string, object?>(Upstream, upstream), new KeyValuePair<string, object?>(Dialect, NameOf(dialect)));
}
