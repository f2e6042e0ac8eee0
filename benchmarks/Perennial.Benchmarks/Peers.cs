using System.Diagnostics;
using System.Globalization;

namespace Perennial.Benchmarks;

/// <summary>The clients of Node that read the same streams, where Node is installed. Fetched by <c>npm ci</c> on first use.</summary>
internal static class Peers
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "node");
    private static readonly Lazy<bool> AreInstalled = new(Install);

    public static string[] Of(Workload workload) => workload switch
    {
        { DataSize: > 250 } => [],
        _ when !AreInstalled.Value => [],
        { Wire: Wire.Sse, IsJson: false } => ["node eventsource", "node eventsource-parser"],
        { Wire: Wire.WebSocket } => ["node ws", "node signalr"],
        _ => [],
    };

    public static bool IsPeer(string reader) => reader.StartsWith("node ", StringComparison.Ordinal);

    /// <summary>Reads from the hub where SignalR reads, and from the bare socket where others do.</summary>
    public static ProcessStartInfo Start(string reader, Workload workload, string server, string hub)
    {
        var name = reader["node ".Length..];
        var from = string.Equals(name, "signalr", StringComparison.Ordinal) ? hub : server;
        return new ProcessStartInfo(
            "node",
            [Path.Combine(Folder, "reader.js"), name, $"{from}/{workload.Name}", workload.Count.ToString(CultureInfo.InvariantCulture)]);
    }

    private static bool Install()
    {
        try
        {
            using var npm =
                Process.Start(new ProcessStartInfo("npm", "ci --silent") { WorkingDirectory = Folder, UseShellExecute = false })!;
            npm.WaitForExit();
            return npm.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Console.Error.WriteLine("Node is not installed: its clients are left out.");
            return false;
        }
    }
}
