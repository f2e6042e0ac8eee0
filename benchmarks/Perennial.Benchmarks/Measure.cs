using System.Diagnostics;
using System.Globalization;

namespace Perennial.Benchmarks;

/// <summary>
/// One reader over one workload in a process of its own. Warms up, then answers each line on its input with CPU time and allocations
/// of one whole stream, so that readers can be measured in turns.
/// </summary>
internal static class Measure
{
    /// <summary>Until the methods have reached their final tier: a profile shows the compiler at work for about a second.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(string reader, string workloadName, string server)
    {
        var workload = Workload.Named(workloadName);
        var read = Readers.Named(reader, workload);
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < WarmUp)
        {
            await read(UriFor(server, workload, workload.Count / 10));
        }

        while (await Console.In.ReadLineAsync() is not null)
        {
            Console.WriteLine((await SampleAsync(reader, workload, () => read(UriFor(server, workload, workload.Count)))).ToLine());
        }
    }

    private static async Task<Sample> SampleAsync(string reader, Workload workload, Func<Task<long>> read)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        var allocatedBefore = GC.GetTotalAllocatedBytes(precise: true);
        var cpuBefore = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        var seen = await read();
        var elapsed = clock.Elapsed;
        process.Refresh();
        var cpu = process.TotalProcessorTime - cpuBefore;
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - allocatedBefore;
        if (seen < workload.Count)
        {
            throw new InvalidOperationException($"{reader} saw {seen} of {workload.Count}.");
        }

        var messages = string.Equals(reader, "floor", StringComparison.Ordinal) ? workload.Count : seen;
        return new Sample(cpu.TotalNanoseconds / messages, (double)allocated / messages, messages / elapsed.TotalSeconds);
    }

    private static Uri UriFor(string server, Workload workload, int count) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{server}/{workload.Name}/{count}"));
}

/// <param name="CpuNanoseconds">CPU time per message.</param>
/// <param name="AllocatedBytes">Bytes allocated per message.</param>
/// <param name="MessagesPerSecond">Throughput.</param>
internal readonly record struct Sample(double CpuNanoseconds, double AllocatedBytes, double MessagesPerSecond)
{
    public string ToLine() => string.Create(CultureInfo.InvariantCulture, $"{CpuNanoseconds:R} {AllocatedBytes:R} {MessagesPerSecond:R}");

    public static Sample FromLine(string line)
    {
        var parts = line.Split(' ').Select(part => double.Parse(part, CultureInfo.InvariantCulture)).ToArray();
        return new Sample(parts[0], parts[1], parts[2]);
    }
}
