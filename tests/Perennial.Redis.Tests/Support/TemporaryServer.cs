using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Perennial.Redis.Tests.Support;

/// <summary>A Redis server of our own in a temporary folder. Gone when it is disposed, and also when the process is killed.</summary>
/// <param name="settings">Settings of the server, as on its command line.</param>
internal sealed class TemporaryServer(params string[] settings) : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("perennial-redis-").FullName;
    private Process? _server;

    /// <summary>Why there is no server; null where there is one.</summary>
    public string? Absence { get; } = FindServer() is null ? "Redis is not installed here (Debian: apt-get install redis-server)." : null;

    public int Port { get; } = FreePort();

    /// <summary>How to reach a server at a port of this machine.</summary>
    public static string ConnectionStringTo(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    /// <summary>Starts the server, unless it is not installed. Returns when it accepts connections.</summary>
    public async Task StartAsync()
    {
        if (FindServer() is not { } program)
        {
            return;
        }

        // The shell ends the server when its input ends, which it does when this process ends in whatever way.
        const string script = """
            trap '' HUP INT TERM
            exec 3<&0
            "$@" </dev/null >/dev/null &
            cat <&3 >/dev/null
            kill -9 $! 2>/dev/null
            wait $! 2>/dev/null
            """;
        _server = Process.Start(new ProcessStartInfo("sh",
            ["-c", script, "redis", program, "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder,
            "--save", "", "--pidfile", Path.Combine(_folder, "pid"), "--daemonize", "no", .. settings])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
        })!;
        while (!await AnswersAsync())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    /// <summary>SIGKILL, or an end in order.</summary>
    public async Task StopAsync(bool isCrash)
    {
        if (!isCrash)
        {
            await AskAsync("SHUTDOWN");
        }

        _server!.StandardInput.Close();
        await _server.WaitForExitAsync();
        _server.Dispose();
        _server = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await StopAsync(isCrash: true);
        }

        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            return (await AskAsync("PING")).StartsWith("+PONG", StringComparison.Ordinal);      // not while it loads its file
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }

    /// <summary>Sends a command, and returns the answer, which is empty if the server hangs up.</summary>
    private async Task<string> AskAsync(string command)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"{command}\r\n"));
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync() ?? "";
    }

    private static string? FindServer() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .SelectMany(static folder => new[] { Path.Combine(folder, "redis-server"), Path.Combine(folder, "valkey-server") })
        .FirstOrDefault(File.Exists);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
