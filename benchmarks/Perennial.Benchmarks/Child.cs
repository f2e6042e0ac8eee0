using System.Collections.Concurrent;
using System.Diagnostics;

namespace Perennial.Benchmarks;

/// <summary>A process of the suite that answers each line with a line. It ends with its input, and none outlives the suite.</summary>
internal sealed class Child : IAsyncDisposable
{
    /// <summary>The longest answer takes some seconds; a machine may be slow.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly ConcurrentDictionary<Child, bool> Alive = [];

    private readonly Process _process;

    static Child() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        foreach (var child in Alive.Keys)
        {
            child.Kill();
        }
    };

    private Child(Process process)
    {
        _process = process;
        Alive[this] = true;
    }

    /// <summary>Starts this program again.</summary>
    /// <param name="arguments">What it is to do.</param>
    /// <param name="core">The core it is to run on; null for any.</param>
    /// <param name="isSteady">Whether its methods are to reach their final tier during the warm-up.</param>
    public static Child Ourselves(string[] arguments, int? core, bool isSteady = true)
    {
        // Where there is no host of our own, the runtime is told which program to run.
        var host = Environment.ProcessPath!;
        var isRuntime = string.Equals(Path.GetFileNameWithoutExtension(host), "dotnet", StringComparison.Ordinal);
        var start = new ProcessStartInfo(host, isRuntime ? [Environment.GetCommandLineArgs()[0], .. arguments] : arguments);
        if (isSteady)
        {
            start.Environment["DOTNET_TC_CallCountingDelayMs"] = "0";
        }

        return Start(start, core);
    }

    public static Child Start(ProcessStartInfo start, int? core)
    {
        (start.RedirectStandardOutput, start.RedirectStandardInput) = (true, true);
        var process = Process.Start(start)!;
        if (core < Environment.ProcessorCount && (OperatingSystem.IsLinux() || OperatingSystem.IsWindows()))
        {
            process.ProcessorAffinity = 1 << core.Value;
        }

        return new Child(process);
    }

    /// <summary>The next line that it prints.</summary>
    public async Task<string> AnswerAsync() => await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience, TimeProvider.System)
        ?? throw new InvalidOperationException($"'{string.Join(' ', _process.StartInfo.ArgumentList)}' said nothing.");

    public async Task<string> AskAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
        return await AnswerAsync();
    }

    /// <summary>Starts one that does one thing, and returns what it prints.</summary>
    public static async Task<string> RunAsync(string[] arguments, int? core, bool isSteady)
    {
        await using var child = Ourselves(arguments, core, isSteady);
        return await child.AnswerAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        Alive.TryRemove(this, out _);
        _process.Dispose();
    }

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }
}
