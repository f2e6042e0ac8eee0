using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Perennial.Benchmarks.Server;

namespace Perennial.Benchmarks;

/// <summary>
/// Runs the groups of rows, each of which prints a Markdown table, and says at the end which budgets were kept. Both sides of a row are
/// processes of their own and on a core each; those who are compared take turns, and what is printed are medians.
/// </summary>
internal static class Suite
{
    private const string Usage = "Usage: [--runs N] [--only GROUP[,GROUP...]] [--write DOCUMENT]";

    public static async Task<int> RunAsync(string[] args)
    {
        if (Parse(args) is not (var runs, var groups, var path))
        {
            await Console.Error.WriteLineAsync(
                $"{Usage}\nGroups: {string.Join(", ", Groups.WithBudgets)}; and by name alone: {string.Join(", ", Groups.Named)}");
            return 2;
        }

        var document = path is null ? null : new ResultDocument(path, $"{Machine()}, `--runs {runs}`");
        if (document?.WhyNot([.. groups, ResultDocument.Budgets]) is { } reason)
        {
            await Console.Error.WriteLineAsync($"--write: {reason}");
            return 2;
        }

        Console.WriteLine(Machine());
        var budgets = new Budgets();
        var start = Stopwatch.GetTimestamp();
        foreach (var group in groups)
        {
            Console.WriteLine();
            using var section = document?.Begin(group);
            await RunAsync(group, runs, budgets);
        }

        if (groups.Intersect(Groups.WithBudgets, StringComparer.Ordinal).Any())
        {
            Console.WriteLine();
            using var section = Groups.WithBudgets.All(groups.Contains) ? document?.Begin(ResultDocument.Budgets) : null;
            budgets.Print();
        }

        Table.Print($"\nMeasured in {Stopwatch.GetElapsedTime(start).TotalMinutes:F1} minutes.");
        return 0;
    }

    private static (int Runs, string[] Groups, string? Document)? Parse(string[] args)
    {
        var (runs, groups) = (5, Groups.WithBudgets);
        string? document = null;
        for (var n = 0; n < args.Length; n += 2)
        {
            switch (args[n..])
            {
                case ["--runs", var number, ..] when int.TryParse(number, CultureInfo.InvariantCulture, out runs) && runs > 0:
                    break;
                case ["--only", var names, ..]:
                    groups = names.Split(',');
                    break;
                case ["--write", var path, ..]:
                    document = path;
                    break;
                default:
                    return null;
            }
        }

        string[] known = [.. Groups.WithBudgets, .. Groups.Named];
        return groups.All(group => known.Contains(group, StringComparer.Ordinal)) ? (runs, groups, document) : null;
    }

    private static async Task RunAsync(string group, int runs, Budgets budgets)
    {
        switch (group)
        {
            case Groups.Streams:
                await WithSenderAsync(servers => StreamRows.PrintAsync(servers[0], servers[2], runs, budgets));
                break;
            case Groups.Parser:
                ParserRow.Print(runs, budgets);
                break;
            case Groups.Idle:
                await IdleRows.PrintAsync(1000, budgets);
                break;
            case Groups.Latency:
                await WithSenderAsync(servers => LatencyRows.PrintAsync(servers[0], budgets));
                break;
            case Groups.Sends:
                await SendRows.PrintAsync(runs, budgets);
                break;
            case Groups.FanOut:
                await FanOutRows.PrintAsync(runs, budgets);
                break;
            case Groups.Readers:
                await ReaderRows.PrintAsync(runs, budgets);
                break;
            case Groups.Gateway:
                await WithSenderAsync(servers => GatewayRows.PrintAsync(servers[0], runs));
                break;
            case Groups.Delivery:
                await DeliveryRows.PrintAsync(name: null);
                break;
            case Groups.Store:
                await FileStore.PrintAsync(runs);
                await SharedStore.PrintAsync(runs);
                await RedisStore.PrintAsync(runs);
                break;
            case Groups.Growth:
                await GrowthRows.PrintAsync(runs);
                Console.WriteLine();
                await IdleRows.PrintAsync(10_000, budgets: null);
                break;
        }
    }

    /// <summary>With the sender of the client's rows: its ports for HTTP/1.1 and WebSocket, for HTTP/2, and for SignalR.</summary>
    private static async Task WithSenderAsync(Func<string[], Task> print)
    {
        await using var sender = Child.Ourselves(["send"], core: 1, isSteady: false);
        await print((await sender.AnswerAsync()).Split(' '));
    }

    private static string Machine()
    {
        var text = new StringBuilder();
        var cpu = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(
                line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : null;
        text.Append(
            CultureInfo.InvariantCulture,
            $"{cpu ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} cores, ");
        text.Append(CultureInfo.InvariantCulture, $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, ");
        text.Append(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}");
        return text.ToString();
    }
}
