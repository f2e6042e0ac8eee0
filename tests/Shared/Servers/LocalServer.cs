using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Perennial.Transports.Tests.Servers;

/// <summary>A server in a process of its own, on a free port of this machine, with a folder that is deleted at the end.</summary>
public abstract class LocalServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private Process? _process;

    /// <summary>Where it listens. The port stays the same over restarts.</summary>
    public int Port { get; private set; } = FreePort();

    protected string Folder { get; } = Directory.CreateTempSubdirectory("perennial-server-").FullName;

    /// <summary>Skips the test where the program is missing. In CI that is a failure.</summary>
    public static void Require(string program)
    {
        try
        {
            using var process = Start(program, "--help");
            process.WaitForExit();
        }
        catch (Win32Exception)
        {
            var absence = $"{program} is not installed.";
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is not "true", absence);
            Assert.Fail(absence);
        }
    }

    /// <summary>Starts the process, and waits until it accepts connections. Takes another port if somebody else took this one.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (program, arguments) = CommandFor(Port);
            _process = Start(program, arguments);
            if (await ListensAsync(_process, cancellationToken))
            {
                return;
            }

            if (attempt == 5)
            {
                throw new InvalidOperationException($"{program} did not start.");
            }

            Port = FreePort();
        }
    }

    /// <summary>Ends the process as a crash does.</summary>
    public Task KillAsync() => EndAsync("-KILL");

    /// <summary>Asks the process to end, and waits until it has.</summary>
    public Task StopAsync() => EndAsync("-TERM");

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await KillAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>The program and its arguments, which make it listen on a port of 127.0.0.1.</summary>
    protected abstract (string Program, string[] Arguments) CommandFor(int port);

    private static Process Start(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private async Task<bool> ListensAsync(Process process, CancellationToken cancellationToken)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (!process.HasExited && TimeProvider.System.GetElapsedTime(since) < Patience)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
                if (!Equals(client.Client.LocalEndPoint, client.Client.RemoteEndPoint))     // a socket can connect to itself
                {
                    return true;
                }
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
            }
        }

        return false;
    }

    private async Task EndAsync(string signal)
    {
        if (_process is not { } process)
        {
            return;
        }

        _process = null;
        if (!process.HasExited)
        {
            using var kill = Process.Start("kill", [signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
            await kill.WaitForExitAsync();
        }

        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
