using System.Diagnostics;
using System.Globalization;

namespace Perennial.SeveralNodes.Tests.Support;

/// <summary>A <see cref="LoneServer"/> seen from the test that started it. It ends with the test, in whatever way that does.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    private readonly Process _process;

    private ServerProcess(Process process, Uri address) => (_process, Address) = (process, address);

    public Uri Address { get; }

    public static async Task<ServerProcess> StartAsync(string connectionString, string space)
    {
        var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["serve", connectionString, space])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        return new ServerProcess(process, new Uri(line ?? throw new InvalidOperationException("The server did not start.")));
    }

    /// <summary>SIGKILL: nothing is said to anybody.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>SIGSTOP: the process stands still and keeps its connections, until <see cref="GoOnAsync"/>.</summary>
    public Task StandStillAsync() => SignalAsync("-STOP");

    /// <summary>SIGCONT.</summary>
    public Task GoOnAsync() => SignalAsync("-CONT");

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        kill.ExitCode.ShouldBe(0);
    }
}
