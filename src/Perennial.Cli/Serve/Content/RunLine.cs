using Perennial.AspNetCore;

namespace Perennial.Cli.Serve.Content;

/// <summary>The one run of a server, and the line that says how to read it.</summary>
internal static class RunLine
{
    /// <summary>Kept as long as the server is up, or near enough.</summary>
    public static RunOptions KeptLong { get; } = new() { Retention = TimeSpan.FromDays(7) };

    public static string For(Uri address, StreamRun run) => $"curl -N {new Uri(address, $"/streams/{run.Id}")}";
}
