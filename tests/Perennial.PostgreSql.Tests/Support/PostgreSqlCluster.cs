using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

[assembly: AssemblyFixture(typeof(Perennial.PostgreSql.Tests.Support.PostgreSqlCluster))]
[assembly: CollectionBehavior(DisableTestParallelization = true)]    // some tests stop the server that all of them use

namespace Perennial.PostgreSql.Tests.Support;

/// <summary>A PostgreSQL server of our own in a temporary folder, for one run of the tests. Gone afterwards, even when the tests are killed.</summary>
public sealed class PostgreSqlCluster : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("perennial-postgres-").FullName;
    private readonly int _port = FreePort();
    private Process? _watchdog;

    /// <summary>Why there is no server; null where there is one.</summary>
    public string? Absence { get; private set; }

    public string ConnectionString => ConnectionStringTo(_port);

    public Uri Address => new($"tcp://127.0.0.1:{_port}");

    private static bool IsRoot { get; } = string.Equals(Environment.UserName, "root", StringComparison.Ordinal);

    private static string? Binaries { get; } = FindBinaries();

    /// <summary>How to reach the server through a port that somebody forwards to it.</summary>
    public static string ConnectionStringTo(int port) =>
        $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;SSL Mode=Disable;GSS Encryption Mode=Disable;Maximum Pool Size=40";

    public async ValueTask InitializeAsync()
    {
        if (Binaries is null)
        {
            Absence = "PostgreSQL is not installed here (Debian: apt-get install postgresql).";
            return;
        }

        if (IsRoot)
            await RunAsync("chown", "postgres", _folder);
        await RunAsServerAsync("initdb", "-D", Data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync");
        StartWatchdog();
        await StartAsync();
    }

    public Task StartAsync() => RunAsServerAsync(
        "pg_ctl", "start", "-w", "-D", Data, "-l", Path.Combine(_folder, "log"), "-o",
        string.Create(CultureInfo.InvariantCulture, $"-p {_port} -h 127.0.0.1 -k '' -c max_connections=200 -c shared_buffers=64MB -c fsync=off"));

    /// <summary>Stops the server: <c>fast</c> tells its clients, <c>immediate</c> is a crash.</summary>
    public Task StopAsync(string mode) => RunAsServerAsync("pg_ctl", "stop", "-w", "-D", Data, "-m", mode);

    /// <summary>Ends the server's side of connections whose last statement was of a kind; returns how many.</summary>
    public async Task<int> TerminateAsync(string lastStatement)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(
            "SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"{lastStatement}%" });
        return (int)(await command.ExecuteScalarAsync())!;
    }

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

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
        _watchdog = Process.Start(new ProcessStartInfo("sh", ["-c", script, _folder, .. AsServer("pg_ctl"), "stop", "-w", "-D", Data, "-m", "immediate"])
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
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {text}");
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
