using System.Globalization;
using Perennial.Benchmarks.Server;

namespace Perennial.Benchmarks;

/// <summary>Ten times as many, again and again, with as many messages in all: what each costs, and the ratio to the row before.</summary>
internal static class GrowthRows
{
    private const int Messages = 400_000;
    private const int Burst = 8;

    private static readonly int[] Counts = [10, 100, 1000, 10_000];

    public static async Task PrintAsync(int runs)
    {
        Console.WriteLine("| SSE | count | CPU ns per message | x row before | managed B each | x row before |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|");
        await PrintAsync("transports", TransportsAsync, runs);
        await PrintAsync("readers of the server", ReadersAsync, runs);
    }

    private static async Task PrintAsync(string name, Func<int, int, Task<(double Cpu, double Bytes)>> measure, int runs)
    {
        (double Cpu, double Bytes)? last = null;
        foreach (var count in Counts)
        {
            if (OpenFiles.WhyNot(count) is { } reason)
            {
                Table.Print($"| {name} | {count:N0} | {reason} | | | |");
                continue;
            }

            var (cpu, bytes) = await measure(count, runs);
            Table.Print(last is { } before
                ? (FormattableString)$"| {name} | {count:N0} | {cpu:N0} | {cpu / before.Cpu:F2} | {bytes:N0} | {bytes / before.Bytes:F2} |"
                : $"| {name} | {count:N0} | {cpu:N0} | | {bytes:N0} | |");
            last = (cpu, bytes);
        }
    }

    private static async Task<(double Cpu, double Bytes)> TransportsAsync(int count, int runs)
    {
        await using var server = Child.Ourselves(["serve", Servers.BareSend], core: 1);
        var announced = (await server.AnswerAsync()).Split(' ');
        await using var client = Child.Ourselves(
            ["transports", count.ToString(CultureInfo.InvariantCulture), announced[0] + announced[2], announced[1]], core: 0);
        var bytes = double.Parse(await client.AnswerAsync(), CultureInfo.InvariantCulture);
        var samples = new List<Sample>();
        for (var run = 0; run <= runs; run++)
        {
            samples.Add(
                Sample.FromLine(await client.AskAsync(string.Create(CultureInfo.InvariantCulture, $"{Messages / count / Burst} {Burst}"))));
        }

        return (Medians.Of(samples.Skip(1), sample => sample.CpuNanoseconds), bytes);
    }

    private static async Task<(double Cpu, double Bytes)> ReadersAsync(int count, int runs)
    {
        double bytes;
        await using (var idle = await Bench.StartAsync(Servers.Perennial, []))
        {
            bytes = (await ReaderRows.MemoryAsync(idle, Counting.Sse, count)).Managed;
        }

        await using var bench = await Bench.StartAsync(Servers.Perennial, []);
        await bench.OpenBusyAsync(count, Counting.Sse);
        var samples = new List<Sample>();
        for (var run = 0; run <= runs; run++)
        {
            samples.Add(await bench.SendAsync(count, Messages / count / Burst, Burst));
        }

        return (Medians.Of(samples.Skip(1), sample => sample.CpuNanoseconds), bytes);
    }
}
