using System.Globalization;

namespace Perennial.Benchmarks;

/// <summary>Connecting and connecting again, against the platform doing the same.</summary>
internal static class LatencyRows
{
    public static async Task PrintAsync(string server, Budgets budgets)
    {
        Console.WriteLine("| latency, p50 ms | floor | Perennial | beyond the floor |");
        Console.WriteLine("|---|---:|---:|---:|");
        await PrintAsync("first event after connect", "idle", server, Budgets.FirstEvent, allowed: 0.1, budgets);
        await PrintAsync("event to event over a cut, no delay", "cut", server, Budgets.AfterCut, allowed: 0.3, budgets);
    }

    private static async Task PrintAsync(string name, string path, string server, string budget, double allowed, Budgets budgets)
    {
        var floor = await AskAsync("floor");
        var ours = await AskAsync("perennial");
        Table.Print($"| {name} | {floor:F3} | {ours:F3} | {ours - floor:F3} |");
        budgets.Note(budget, floor, rival: null, ours, floor + allowed);

        async Task<double> AskAsync(string reader) =>
            double.Parse(await Child.RunAsync(["latency", reader, path, server], core: 0, isSteady: false), CultureInfo.InvariantCulture);
    }
}
