using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Perennial.Samples.Tests;

/// <summary>A sample as a process of its own, run from where it was built.</summary>
internal sealed class Sample : IAsyncDisposable
{
    private static readonly TimeSpan HangLimit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly CancellationTokenSource _guard = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly Task<string> _errors;

    private Sample(string name, string[] arguments)
    {
        _guard.CancelAfter(HangLimit);
        var folder = Path.Combine(Root, "samples", name, "bin", Configuration, "net10.0");
        _process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(folder, $"{name}.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = folder,
        })!;
        _errors = _process.StandardError.ReadToEndAsync(_guard.Token);
    }

    /// <summary>The folder of the repository.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../.."));

    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    public static Sample Start(string name, params string[] arguments) => new(name, arguments);

    /// <summary>The next line of output that contains a text.</summary>
    public async Task<string> LineWithAsync(string text)
    {
        while (await _process.StandardOutput.ReadLineAsync(_guard.Token) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"The sample ended without '{text}'. {await _errors}");
    }

    /// <summary>The address that a web application says it listens on.</summary>
    public async Task<Uri> AddressAsync() => new((await LineWithAsync("Now listening on: ")).Split(' ')[^1]);

    /// <summary>The whole output of a sample that ends by itself and without an error.</summary>
    public async Task<string> OutputAsync()
    {
        var output = await _process.StandardOutput.ReadToEndAsync(_guard.Token);
        await _process.WaitForExitAsync(_guard.Token);
        (await _errors).ShouldBeEmpty();
        _process.ExitCode.ShouldBe(0);
        return output;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
        _guard.Dispose();
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
