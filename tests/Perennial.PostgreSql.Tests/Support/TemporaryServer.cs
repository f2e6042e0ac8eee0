using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Perennial.PostgreSql.Tests.Support;

/// <summary>A PostgreSQL server of our own in a temporary folder. Gone when it is disposed, and also when the process is killed.</summary>
/// <param name="settings">Settings of the server, as on its command line: <c>-c fsync=off</c>.</param>
internal sealed class TemporaryServer(string settings) : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("perennial-postgres-").FullName;
    private Process? _watchdog;

    /// <summary>Why there is no server; null where there is one.</summary>
    public string? Absence { get; private set; }

    public int Port { get; } = FreePort();

    /// <summary>How to reach a server at a port of this machine.</summary>
    public static string ConnectionStringTo(int port) =>
        $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;SSL Mode=Disable;GSS Encryption Mode=Disable;Maximum Pool Size=40";

    private static bool IsRoot { get; } = string.Equals(Environment.UserName, "root", StringComparison.Ordinal);

    private static string? Binaries { get; } = FindBinaries();

    /// <summary>Creates the server and starts it, unless there are no binaries.</summary>
    public async Task CreateAsync()
    {
        if (Binaries is null)
        {
            Absence = "PostgreSQL is not installed here (Debian: apt-get install postgresql).";
            return;
        }

        if (IsRoot)
        {
            await RunAsync("chown", "postgres", _folder);
        }

        await RunAsServerAsync("initdb", "-D", Data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync");
        StartWatchdog();
        await StartAsync();
    }

    public Task StartAsync() => RunAsServerAsync(
        "pg_ctl", "start", "-w", "-D", Data, "-l", Path.Combine(_folder, "log"), "-o",
        string.Create(
            CultureInfo.InvariantCulture, $"-p {Port} -h 127.0.0.1 -k '' -c max_connections=200 -c shared_buffers=64MB {settings}"));

    /// <summary>Stops the server: <c>fast</c> tells its clients, <c>immediate</c> is a crash.</summary>
    public Task StopAsync(string mode) => RunAsServerAsync("pg_ctl", "stop", "-w", "-D", Data, "-m", mode);

    public async ValueTask DisposeAsync()
    {
        if (_watchdog is { } watchdog)
        {
            watchdog.StandardInput.Close();
            await watchdog.WaitForExitAsync();
            watchdog.Dispose();
        }
        else
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private string Data => Path.Combine(_folder, "data");

    // Its input ends when this process does, in whatever way. A signal to the whole group, such as Ctrl-C, is not for it.
    private void StartWatchdog()
    {
        var script = """trap '' HUP INT TERM; cat >/dev/null; "$@" >/dev/null 2>&1; rm -rf "$0" """;
        _watchdog = Process.Start(
            new ProcessStartInfo("sh", ["-c", script, _folder, .. AsServer("pg_ctl"), "stop", "-w", "-D", Data, "-m", "immediate"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
        })!;
    }

    private static Task RunAsServerAsync(string program, params string[] arguments)
    {
        var line = AsServer(program);
        return RunAsync(line[0], [.. line[1..], .. arguments]);
    }

    // The server refuses to run as root.
    private static string[] AsServer(string program)
    {
        var path = Path.Combine(Binaries!, program);
        return IsRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", path] : [path];
    }

    // Its output is a file: a server that is started inherits it and would hold a pipe open.
    private static async Task RunAsync(string program, params string[] arguments)
    {
        var output = Path.GetTempFileName();
        var start = new ProcessStartInfo("sh", ["-c", """out=$0; exec "$@" >"$out" 2>&1 </dev/null""", output, program, .. arguments])
        {
            WorkingDirectory = "/",
        };
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        var text = await File.ReadAllTextAsync(output);
        File.Delete(output);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {text}");
        }
    }

    private static string? FindBinaries()
    {
        string[] installed = Directory.Exists("/usr/lib/postgresql")
            ? [.. Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin"))]
            : [];
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return installed.Reverse().Concat(path.Split(':')).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
