using System.Diagnostics;
using System.Globalization;

namespace Perennial.Sqlite.Tests.Support;

/// <summary>A <see cref="LoneProducer"/> seen from the test that started it.</summary>
internal sealed class ProducerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ProducerProcess(Process process, string run) => (_process, Run) = (process, run);

    /// <summary>The id of its run.</summary>
    public string Run { get; }

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public static async Task<ProducerProcess> StartAsync(string path, bool isResumable = false)
    {
        var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [isResumable ? "produce-resumable" : "produce", path])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        var run = await process.StandardOutput.ReadLineAsync(TestEnds);
        return new ProducerProcess(process, run ?? throw new InvalidOperationException("The producer did not start."));
    }

    /// <summary>Waits until so many events are confirmed.</summary>
    public async Task UntilAsync(int confirmed)
    {
        for (var n = 0; n < confirmed; n++)
        {
            (await _process.StandardOutput.ReadLineAsync(TestEnds)).ShouldBe((n + 1).ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>SIGKILL in the middle of an append. Returns the last number that was confirmed.</summary>
    public async Task<int> KillAsync()
    {
        _process.Kill();
        var rest = await _process.StandardOutput.ReadToEndAsync(TestEnds);
        await _process.WaitForExitAsync(TestEnds);
        // The last line may be cut.
        return rest[..(rest.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => int.Parse(line, CultureInfo.InvariantCulture)).DefaultIfEmpty().Last();
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
