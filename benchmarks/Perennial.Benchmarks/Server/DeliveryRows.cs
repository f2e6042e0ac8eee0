namespace Perennial.Benchmarks.Server;

/// <summary>From the call that appends an event to the event at the other end of a connection, in another process.</summary>
internal static class DeliveryRows
{
    private const int Steps = 400;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <param name="name">The store's name in the rows; null for runs in memory.</param>
    /// <param name="store">The store and its connection string, as <see cref="PerennialServer"/> takes them.</param>
    public static async Task PrintAsync(string? name, params string[] store)
    {
        Console.WriteLine("| append to deliver over SSE, one event every 10 ms | readers | p50 ms | p99 ms |");
        Console.WriteLine("|---|---:|---:|---:|");
        foreach (var readers in new[] { 1, 100 })
        {
            if (name is null)
            {
                await using var floor = await Bench.StartAsync(Servers.BareSend, []);
                await PrintAsync("bare send, the floor", floor, readers);
                await using var memory = await Bench.StartAsync(Servers.Perennial, []);
                await PrintAsync("in memory", memory, readers);
            }
            else
            {
                await using var here = await Bench.StartAsync(Servers.Perennial, store);
                await PrintAsync($"{name}, read where it is produced", here, readers);
                await using var producer = await Bench.StartAsync(Servers.Perennial, store);
                await using var elsewhere =
                    await Bench.StartAsync(Servers.Perennial, [.. store, producer.BusyPath], producer.Control);
                await PrintAsync($"{name}, read from another node", elsewhere, readers);
            }
        }
    }

    private static async Task PrintAsync(string name, Bench bench, int readers)
    {
        await bench.OpenBusyAsync(readers, Counting.Sse);
        await bench.LatencyAsync(Steps / 2, Interval);
        var (median, high) = await bench.LatencyAsync(Steps, Interval);
        Table.Print($"| {name} | {readers} | {median:F2} | {high:F2} |");
    }
}
