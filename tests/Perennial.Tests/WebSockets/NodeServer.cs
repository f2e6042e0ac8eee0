using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.WebSockets;

/// <summary>A server of the ws package on Node, in a process of its own. Its packages are installed as its lock file says.</summary>
internal sealed class NodeServer : IAsyncDisposable
{
    private static readonly Lazy<Task> Installation = new(InstallAsync);

    private readonly Process _process;

    private NodeServer(Process process, int port)
    {
        _process = process;
        Address = new Uri($"ws://127.0.0.1:{port}/");
    }

    public Uri Address { get; }

    /// <summary>Why there can be no such server here, or <see langword="null"/>. Where CI is true there has to be one.</summary>
    public static string? WhyNot =>
        Environment.GetEnvironmentVariable("CI") is "true" || (IsInstalled("node") && IsInstalled("npm"))
            ? null
            : "Node and npm are not installed.";

    /// <summary>Starts it, on a port the system chose.</summary>
    public static async Task<NodeServer> StartAsync(bool isCompressed)
    {
        await Installation.Value.Soon();
        var process = Start("node", "server.js", isCompressed ? "compressed" : "plain");
        var port = await process.StandardOutput.ReadLineAsync().Soon();
        return new NodeServer(process, int.Parse(port.ShouldNotBeNull("The server did not start."), CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().Soon();
        _process.Dispose();
    }

    private static async Task InstallAsync()
    {
        if (!Directory.Exists(Path.Combine(Folder(), "node_modules")))
        {
            using var npm = Start("npm", "ci", "--no-audit", "--no-fund");
            var output = await npm.StandardOutput.ReadToEndAsync();
            await npm.WaitForExitAsync();
            npm.ExitCode.ShouldBe(0, output);
        }
    }

    private static Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder(),
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    private static bool IsInstalled(string program)
    {
        try
        {
            using var process = Start(program, "--version");
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static string Folder([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "interop", "ws"));
}
