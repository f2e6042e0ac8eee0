using System.Diagnostics;
using System.Globalization;
using System.Text;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.Benchmarks;

/// <summary>
/// From the call that appends a token on one node to the token in the hands of a reader on another. Both are in this process, so that one
/// clock tells.
/// </summary>
internal static class StoreLatency
{
    private const int WarmUpTokens = 60;        // of each run
    private const int Tokens = 200;

    private static readonly (int Runs, int PerSecond)[] Rates = [(1, 20), (50, 20)];

    /// <summary>Writes at a steady rate to so many runs. The times are sorted.</summary>
    private static async Task<List<TimeSpan>> MeasureAsync(Action<PerennialServerBuilder> addStore, int runs, int perSecond)
    {
        using var a = await SharedStore.StartNodeAsync(addStore);
        using var b = await SharedStore.StartNodeAsync(addStore);
        var interval = TimeSpan.FromSeconds(1) / perSecond;
        var (writing, reading) = (new List<Task>(), new List<Task<List<TimeSpan>>>());
        for (var n = 0; n < runs; n++)
        {
            var run = await SharedStore.CreateRunAsync(SharedStore.StoreOf(a));
            var elsewhere = (await SharedStore.StoreOf(b).FindAsync(run.Id, CancellationToken.None))!;
            reading.Add(Task.Run(() => ReadAsync(elsewhere)));
            writing.Add(Task.Run(() => WriteAsync(run, interval)));
            await Task.Delay(interval / runs, TimeProvider.System);
        }

        await Task.WhenAll(writing);
        var times = (await Task.WhenAll(reading)).SelectMany(each => each).Order().ToList();
        await b.StopAsync();
        await a.StopAsync();
        return times;
    }

    /// <summary>Prints a row for each rate.</summary>
    public static async Task PrintAsync(Action<PerennialServerBuilder> addStore)
    {
        Console.WriteLine("\n| runs | tokens/s | append on A to record on B, p50 ms | p99 ms |\n|---:|---:|---:|---:|");
        foreach (var (runs, perSecond) in Rates)
        {
            var times = await MeasureAsync(addStore, runs, perSecond);
            Table.Print($"| {runs} | {runs * perSecond:N0} | {At(0.5):N2} | {At(0.99):N2} |");

            double At(double share) => times[(int)(times.Count * share)].TotalMilliseconds;
        }

        Console.WriteLine();
    }

    private static async Task WriteAsync(RunLog run, TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval);
        for (var n = 0; n < WarmUpTokens + Tokens; n++)
        {
            await timer.WaitForNextTickAsync();
            await run.AppendAsync(new RunEvent
            {
                Data = SharedStore.Token(Stopwatch.GetTimestamp()),
                Kind = RunDataKind.Text,
            }, CancellationToken.None);
        }
    }

    private static async Task<List<TimeSpan>> ReadAsync(RunLog run)
    {
        var news = new RunSignal();
        using var subscription = run.Subscribe(RunNews.Records, news);
        var times = new List<TimeSpan>();
        while (times.Count < WarmUpTokens + Tokens)
        {
            var slice = await run.ReadAsync(times.Count, int.MaxValue, CancellationToken.None);
            foreach (var record in slice.Records.ToArray())
            {
                times.Add(
                    Stopwatch.GetElapsedTime(long.Parse(Encoding.ASCII.GetString(record.Content.Data.Span), CultureInfo.InvariantCulture)));
            }

            if (slice.Records.IsEmpty)
            {
                await news.WaitAsync();
            }
        }

        return times[WarmUpTokens..];
    }
}
