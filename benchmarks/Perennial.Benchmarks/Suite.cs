using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Perennial.Benchmarks;

/// <summary>
/// Runs the SSE rows: sender and reader in processes of their own and on a core each, all readers interleaved, medians of the runs,
/// ratios to the floor and to the hand-rolled reader of the same run. Prints a Markdown table.
/// </summary>
internal static class Suite
{
    private static readonly string[] Plain = ["floor", "hand-rolled", "perennial", "perennial-events"];
    private static readonly string[] Json = ["floor", "hand-rolled-json", "perennial-json"];

    public static async Task<int> RunAsync(string[] args)
    {
        var runs = args is ["--runs", var given] ? int.Parse(given, CultureInfo.InvariantCulture) : 5;
        Console.WriteLine(Machine());
        Console.WriteLine();
        await StreamRowsAsync(runs);
        Console.WriteLine();
        ParserRow.Print(runs);
        return 0;
    }

    private static async Task StreamRowsAsync(int runs)
    {
        using var sender = Start("send", core: 1);
        var port = await sender.StandardOutput.ReadLineAsync();
        Console.WriteLine($"CPU ns and allocated bytes per message, medians of {runs} interleaved runs; reader on one core, sender on the other.");
        Console.WriteLine();
        Console.WriteLine("| workload | reader | CPU ns | x floor | x hand-rolled | allocated B | messages/s |");
        Console.WriteLine("|---|---|---:|---:|---:|---:|---:|");
        foreach (var workload in Workload.All)
        {
            var readers = workload.IsJson ? Json : Plain;
            var samples = readers.ToDictionary(reader => reader, _ => new List<Sample>(), StringComparer.Ordinal);
            for (var run = 0; run < runs; run++)
            {
                foreach (var reader in readers)
                {
                    samples[reader].Add(await MeasureAsync(reader, workload, $"http://127.0.0.1:{port}"));
                }
            }

            Print(workload, readers, samples);
        }

        sender.StandardInput.Close();
        await sender.WaitForExitAsync();
    }

    private static void Print(Workload workload, string[] readers, Dictionary<string, List<Sample>> samples)
    {
        var floor = Median(samples[readers[0]], sample => sample.CpuNanoseconds);
        var handRolled = Median(samples[readers[1]], sample => sample.CpuNanoseconds);
        foreach (var reader in readers)
        {
            var cpu = Median(samples[reader], sample => sample.CpuNanoseconds);
            var allocated = Median(samples[reader], sample => sample.AllocatedBytes);
            var rate = Median(samples[reader], sample => sample.MessagesPerSecond);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {workload.Name} | {reader} | {cpu:F0} | {cpu / floor:F2} | {cpu / handRolled:F2} | {allocated:F0} | {rate:N0} |"));
        }
    }

    private static async Task<Sample> MeasureAsync(string reader, Workload workload, string server)
    {
        using var process = Start($"measure {reader} {workload.Name} {server}", core: 0);
        var line = await process.StandardOutput.ReadLineAsync();
        await process.WaitForExitAsync();
        return Sample.FromLine(line ?? throw new InvalidOperationException($"{reader} failed on {workload.Name}."));
    }

    private static Process Start(string arguments, int core)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        // Steady state: methods reach their final tier during the warm-up.
        start.Environment["DOTNET_TC_CallCountingDelayMs"] = "0";
        var process = Process.Start(start)!;
        if (Environment.ProcessorCount > core && (OperatingSystem.IsLinux() || OperatingSystem.IsWindows()))
        {
            process.ProcessorAffinity = 1 << core;
        }

        return process;
    }

    private static double Median(List<Sample> samples, Func<Sample, double> value)
    {
        var sorted = samples.Select(value).Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    private static string Machine()
    {
        var text = new StringBuilder();
        var cpu = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : null;
        text.Append(CultureInfo.InvariantCulture, $"{cpu ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} cores, ");
        text.Append(CultureInfo.InvariantCulture, $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, ");
        text.Append(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}");
        return text.ToString();
    }
}
