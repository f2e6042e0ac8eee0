using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Perennial.Benchmarks;

/// <summary>
/// Runs all rows: sender and reader in processes of their own and on a core each, all readers interleaved, medians of the runs,
/// ratios to the floor and to the hand-rolled reader of the same run. Prints a Markdown table.
/// </summary>
internal static class Suite
{
    public static async Task<int> RunAsync(string[] args)
    {
        var runs = args is ["--runs", var given] ? int.Parse(given, CultureInfo.InvariantCulture) : 5;
        Console.WriteLine(Machine());
        Console.WriteLine();
        using var sender = Start(Ourselves("send"), core: 1);
        var servers = (await sender.StandardOutput.ReadLineAsync())!.Split(' ');
        await StreamRowsAsync(servers[0], servers[2], runs);
        Console.WriteLine();
        ParserRow.Print(runs);
        Console.WriteLine();
        await IdleRowsAsync(servers[0], servers[1]);
        Console.WriteLine();
        await LatencyRowsAsync(servers[0]);
        sender.StandardInput.Close();
        await sender.WaitForExitAsync();
        return 0;
    }

    private static async Task StreamRowsAsync(string server, string hub, int runs)
    {
        Console.WriteLine($"CPU ns and allocated bytes per message, medians of {runs} interleaved runs; reader on one core, sender on the other.");
        Console.WriteLine();
        Console.WriteLine("| workload | reader | CPU ns | x floor | x hand-rolled | allocated B | messages/s |");
        Console.WriteLine("|---|---|---:|---:|---:|---:|---:|");
        foreach (var workload in Workload.All)
        {
            string[] readers = [.. Readers.Of(workload), .. Peers.Of(workload)];
            Print(workload, readers, await MeasureAsync(readers, StartReader, runs));

            Process StartReader(string reader) => Peers.IsPeer(reader)
                ? Start(Peers.Start(reader, workload, server, hub), core: 0)
                : Start(Ourselves($"measure {reader} {workload.Name} {server}", forSteadyState: true), core: 0);
        }
    }

    private static async Task IdleRowsAsync(string http1, string http2)
    {
        Console.WriteLine("| idle stream, managed bytes | floor | Perennial | beyond the floor |");
        Console.WriteLine("|---|---:|---:|---:|");
        foreach (var (name, suffix, server) in new[] { ("HTTP/1.1", "", http1), ("HTTP/2", "-h2", http2) })
        {
            var floor = await AskAsync($"idle floor{suffix} 1000 {server}");
            var ours = await AskAsync($"idle perennial{suffix} 1000 {server}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name}, 1,000 streams | {floor:N0} | {ours:N0} | {ours - floor:N0} |"));
        }
    }

    private static async Task LatencyRowsAsync(string server)
    {
        Console.WriteLine("| latency, p50 ms | floor | Perennial | beyond the floor |");
        Console.WriteLine("|---|---:|---:|---:|");
        foreach (var (name, path) in new[] { ("first event after connect", "idle"), ("event to event over a cut, no delay", "cut") })
        {
            var floor = await AskAsync($"latency floor {path} {server}");
            var ours = await AskAsync($"latency perennial {path} {server}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {floor:F3} | {ours:F3} | {ours - floor:F3} |"));
        }
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

    /// <summary>Starts all readers, and lets one after the other read, again and again.</summary>
    private static async Task<Dictionary<string, List<Sample>>> MeasureAsync(string[] readers, Func<string, Process> start, int runs)
    {
        var samples = readers.ToDictionary(reader => reader, _ => new List<Sample>(), StringComparer.Ordinal);
        var processes = new Dictionary<string, Process>(StringComparer.Ordinal);
        for (var run = 0; run < runs; run++)
        {
            foreach (var reader in readers)
            {
                if (!processes.TryGetValue(reader, out var process))
                {
                    processes[reader] = process = start(reader);
                }

                await process.StandardInput.WriteLineAsync("go");
                samples[reader].Add(Sample.FromLine(await AnswerAsync(process)));
            }
        }

        foreach (var process in processes.Values)
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        return samples;
    }

    private static async Task<double> AskAsync(string arguments)
    {
        using var process = Start(Ourselves(arguments), core: 0);
        var answer = await AnswerAsync(process);
        await process.WaitForExitAsync();
        return double.Parse(answer, CultureInfo.InvariantCulture);
    }

    private static async Task<string> AnswerAsync(Process process) =>
        await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"'{process.StartInfo.Arguments}' printed nothing.");

    private static ProcessStartInfo Ourselves(string arguments, bool forSteadyState = false)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, arguments);
        if (forSteadyState)
        {
            // Methods reach their final tier during the warm-up.
            start.Environment["DOTNET_TC_CallCountingDelayMs"] = "0";
        }

        return start;
    }

    private static Process Start(ProcessStartInfo start, int core)
    {
        (start.RedirectStandardOutput, start.RedirectStandardInput) = (true, true);
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

    public static string Machine()
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
