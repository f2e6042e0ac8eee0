namespace Perennial.Benchmarks.Server;

/// <summary>One run to many readers over SSE: what the server pays for each message it delivers.</summary>
internal static class FanOutRows
{
    private const int Deliveries = 100_000;     // in one sample
    private const int Burst = 8;

    private static readonly string[] Contenders =
        [Servers.BareSend, Servers.KestrelWrite, Servers.TypedResults, Servers.EncodedOnce, Servers.Perennial];

    public static async Task PrintAsync(int runs, Budgets budgets)
    {
        Console.WriteLine("| readers | events at a time | server | CPU ns | x floor | x hand-rolled | allocated B | messages/s |");
        Console.WriteLine("|---:|---:|---|---:|---:|---:|---:|---:|");
        foreach (var readers in new[] { 100, 1000 })
        {
            if (OpenFiles.WhyNot(readers) is { } reason)
            {
                Table.Print($"| {readers:N0} | {reason} | | | | | | |");
            }
            else
            {
                await PrintAsync(readers, runs, budgets);
            }
        }
    }

    private static async Task PrintAsync(int readers, int runs, Budgets budgets)
    {
        var benches = new Dictionary<string, Bench>(StringComparer.Ordinal);
        try
        {
            foreach (var contender in Contenders)
            {
                var bench = benches[contender] = await Bench.StartAsync(contender, []);
                await bench.OpenBusyAsync(readers, Counting.Sse);
                await WarmUpAsync(bench, readers);
            }

            foreach (var burst in new[] { 1, Burst })
            {
                Note(readers, burst, await MeasureAsync(benches, readers, burst, runs), budgets);
            }
        }
        finally
        {
            foreach (var bench in benches.Values)
            {
                await bench.DisposeAsync();
            }
        }
    }

    /// <summary>About as long as readers of the client are warmed up.</summary>
    private static async Task WarmUpAsync(Bench bench, int readers)
    {
        await bench.SendAsync(readers, 2 * Deliveries / readers, 1);
        await bench.SendAsync(readers, 2 * Deliveries / readers / Burst, Burst);
    }

    private static async Task<Dictionary<string, List<Sample>>> MeasureAsync(
        Dictionary<string, Bench> benches, int readers, int burst, int runs)
    {
        var samples = Contenders.ToDictionary(contender => contender, _ => new List<Sample>(), StringComparer.Ordinal);
        for (var run = 0; run < runs; run++)
        {
            foreach (var (contender, bench) in benches)
            {
                samples[contender].Add(await bench.SendAsync(readers, Deliveries / readers / burst, burst));
            }
        }

        return samples;
    }

    private static void Note(int readers, int burst, Dictionary<string, List<Sample>> samples, Budgets budgets)
    {
        double Cpu(string contender) => Medians.Of(samples[contender], sample => sample.CpuNanoseconds);

        var (floor, handRolled) = (Cpu(Servers.BareSend), Cpu(Servers.TypedResults));
        foreach (var contender in Contenders)
        {
            var allocated = Medians.Of(samples[contender], sample => sample.AllocatedBytes);
            var rate = Medians.Of(samples[contender], sample => sample.MessagesPerSecond);
            Table.Print(
                $"| {readers:N0} | {burst} | {contender} | {Cpu(contender):N0} | {Cpu(contender) / floor:F2} | {Cpu(contender) / handRolled:F2} | {allocated:N0} | {rate:N0} |");
        }

        // Nanoseconds per message are seconds per billion.
        var (floorSeconds, ours) = (floor / 1000, Cpu(Servers.Perennial) / 1000);
        if (readers == 1000 && burst == 1)
        {
            budgets.Note(Budgets.FanOut, floorSeconds, handRolled / 1000, ours, 1.25 * floorSeconds);
        }

        if (readers == 1000 && burst == Burst)
        {
            budgets.Note(Budgets.FanOutBursts, floorSeconds, Cpu(Servers.EncodedOnce) / 1000, ours, Cpu(Servers.EncodedOnce) / 1000);
        }
    }
}
