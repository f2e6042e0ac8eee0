namespace Perennial.Benchmarks.Server;

/// <summary>Two thousand readers to whom nothing is sent and five hundred to whom everything is, on one server at once.</summary>
internal static class ReaderRows
{
    public const int Idle = 2000;

    private const int First = 100;      // pay for what the server needs once
    private const int Busy = 500;
    private const int Steps = 200;

    private static readonly (string Form, string Server)[] Rows =
    [
        (Counting.Sse, Servers.Held), (Counting.Sse, Servers.TypedResults), (Counting.Sse, Servers.Perennial),
        (Counting.WebSocket, Servers.Held), (Counting.WebSocket, Servers.Perennial),
    ];

    public static async Task PrintAsync(int runs, Budgets budgets)
    {
        Console.WriteLine(
            $"| {Idle:N0} idle readers and {Busy} busy ones | server | managed B per idle reader | beyond the floor | resident B | CPU ns per message to the busy | messages/s |");
        Console.WriteLine("|---|---|---:|---:|---:|---:|---:|");
        var floors = new Dictionary<string, double>(StringComparer.Ordinal);
        double rival = 0;
        foreach (var (form, server) in Rows)
        {
            if (OpenFiles.WhyNot(First + Idle + Busy) is { } reason)
            {
                Table.Print($"| {form} | {server} | {reason} | | | | |");
                continue;
            }

            await using var bench = await Bench.StartAsync(server, []);
            var (managed, resident) = await MemoryAsync(bench, form, Idle);
            var floor = floors.TryGetValue(form, out var known) ? known : floors[form] = managed;
            Table.Print(
                $"| {form} | {server} | {managed:N0} | {managed - floor:N0} | {resident:N0} | {await BusyAsync(bench, server, form, runs)} |");
            if (string.Equals(server, Servers.TypedResults, StringComparison.Ordinal))
            {
                rival = managed;
            }

            if (string.Equals(server, Servers.Perennial, StringComparison.Ordinal) && string.Equals(form, Counting.Sse, StringComparison.Ordinal))
            {
                budgets.Note(Budgets.IdleReader, floor, rival, managed, 18 * 1024);
            }
        }
    }

    /// <summary>What a reader costs that has had one event and waits.</summary>
    public static async Task<(double Managed, double Resident)> MemoryAsync(Bench bench, string form, int count)
    {
        await bench.OpenIdleAsync(First, form);
        var before = await bench.MemoryAsync();
        await bench.OpenIdleAsync(count, form);
        var after = await bench.MemoryAsync();
        return ((after.Managed - before.Managed) / count, (after.Resident - before.Resident) / count);
    }

    private static async Task<string> BusyAsync(Bench bench, string server, string form, int runs)
    {
        if (string.Equals(server, Servers.Held, StringComparison.Ordinal))
        {
            return " | ";
        }

        await bench.OpenBusyAsync(Busy, form);
        await bench.SendAsync(Busy, Steps, 1);
        var samples = new List<Sample>();
        for (var run = 0; run < runs; run++)
        {
            samples.Add(await bench.SendAsync(Busy, Steps, 1));
        }

        return FormattableString.Invariant(
            $"{Medians.Of(samples, sample => sample.CpuNanoseconds):N0} | {Medians.Of(samples, sample => sample.MessagesPerSecond):N0}");
    }
}
