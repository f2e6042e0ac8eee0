using Perennial.AspNetCore;

namespace Perennial.Cli.Serve;

/// <summary>The line that says how to read a run.</summary>
internal static class RunLine
{
    public static string For(Uri address, StreamRun run) => $"curl -N {new Uri(address, $"/streams/{run.Id}")}";
}
