using Perennial.AspNetCore;

namespace Perennial.Cli.Serve.Content;

/// <summary>The only run of a server, and the command that reads it.</summary>
internal static class RunLine
{
    /// <summary>Keeps the run for the longest time that the server allows.</summary>
    public static RunOptions KeptLong { get; } = new() { Retention = TimeSpan.FromDays(7) };

    public static string For(Uri address, StreamRun run) => $"curl -N {new Uri(address, $"/streams/{run.Id}")}";
}
