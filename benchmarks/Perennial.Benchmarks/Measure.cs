using System.Diagnostics;
using System.Globalization;

namespace Perennial.Benchmarks;

/// <summary>One reader over one workload in a process of its own: warmed up, then CPU time and allocations of a whole stream.</summary>
internal static class Measure
{
    public static async Task RunAsync(string reader, string workloadName, string server)
    {
        var workload = Workload.Named(workloadName);
        var read = Readers.Named(reader, workload);
        for (var i = 0; i < 3; i++)
        {
            await read(UriFor(server, workload, workload.Count / 20));
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        var allocatedBefore = GC.GetTotalAllocatedBytes(precise: true);
        process.Refresh();
        var cpuBefore = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        var seen = await read(UriFor(server, workload, workload.Count));
        var elapsed = clock.Elapsed;
        process.Refresh();
        var cpu = process.TotalProcessorTime - cpuBefore;
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - allocatedBefore;
        if (seen < workload.Count)
        {
            throw new InvalidOperationException($"{reader} saw {seen} of {workload.Count}.");
        }

        var messages = string.Equals(reader, "floor", StringComparison.Ordinal) ? workload.Count : seen;
        Console.WriteLine(new Sample(cpu.TotalNanoseconds / messages, (double)allocated / messages, messages / elapsed.TotalSeconds).ToLine());
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
