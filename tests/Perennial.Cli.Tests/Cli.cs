using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace Perennial.Cli.Tests;

/// <summary>The program as a process of its own, with its three streams in the test's hands.</summary>
internal sealed class Cli : IAsyncDisposable
{
    /// <summary>Milliseconds after which a test counts as hanging.</summary>
    public const int Hang = 120_000;

    private static readonly string Program = typeof(Cli).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(static each => string.Equals(each.Key, nameof(Program), StringComparison.Ordinal)).Value!;

    private readonly Process _process;
    private readonly Task<string> _error;
    private bool _isOutputClosed;

    private Cli(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync(TestEnds);
    }

    public StreamReader Output => _process.StandardOutput;

    public StreamWriter Input => _process.StandardInput;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public static Cli Start(params IEnumerable<string> arguments) => StartProcess("dotnet", [Program, .. arguments]);

    /// <summary>Starts a line of shell in which <c>"$@"</c> is the program with these arguments.</summary>
    public static Cli StartInShell(string line, params IEnumerable<string> arguments) =>
        StartProcess("sh", ["-c", line, "sh", "dotnet", Program, .. arguments]);

    private static Cli StartProcess(string name, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(name, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new Cli(Process.Start(start)!);
    }

    /// <summary>Runs the program to its end.</summary>
    public static async Task<CliResult> RunAsync(params IEnumerable<string> arguments)
    {
        await using var cli = Start(arguments);
        cli.Input.Close();
        return await cli.EndAsync();
    }

    /// <summary>Reads lines of output until one contains the text, and returns that one.</summary>
    public async Task<string> ReadUntilAsync(string text)
    {
        while (await Output.ReadLineAsync(TestEnds) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new EndOfStreamException($"The output ended without '{text}'. On stderr: {await _error}");
    }

    /// <summary>Reads what is left of the output and waits for the end.</summary>
    public async Task<CliResult> EndAsync()
    {
        var output = _isOutputClosed ? "" : await Output.ReadToEndAsync(TestEnds);
        var error = await _error;
        return new CliResult(await ExitCodeAsync(), output, error);
    }

    /// <summary>Goes away, as the reader of a pipe may.</summary>
    public void CloseOutput()
    {
        _isOutputClosed = true;
        Output.Close();
    }

    /// <summary>Waits for the end without reading the output.</summary>
    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync(TestEnds);
        return _process.ExitCode;
    }

    /// <summary>Sends a signal, such as INT for Ctrl-C.</summary>
    public async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestEnds);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }
}

/// <summary>What a run left behind.</summary>
internal sealed record CliResult(int ExitCode, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
