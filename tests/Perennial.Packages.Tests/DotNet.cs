using System.Diagnostics;

namespace Perennial.Packages.Tests;

/// <summary>Runs a command to its end and returns what it printed.</summary>
internal static class DotNet
{
    private static readonly TimeSpan HangLimit = TimeSpan.FromMinutes(10);

    /// <summary>Runs <c>dotnet</c>. Fails the test if it does not succeed.</summary>
    public static Task<string> RunAsync(string folder, params string[] arguments) => RunProgramAsync("dotnet", folder, arguments);

    /// <summary>Runs a program. Fails the test if it does not succeed.</summary>
    public static async Task<string> RunProgramAsync(string program, string folder, params string[] arguments)
    {
        using var guard = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        guard.CancelAfter(HangLimit);
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = folder,
        };

        // The new projects have no lock file, and a build server that stays would keep their folder in use.
        start.Environment.Remove("CI");
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(guard.Token);
        var errors = process.StandardError.ReadToEndAsync(guard.Token);
        try
        {
            await process.WaitForExitAsync(guard.Token);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}\n{await output}\n{await errors}");
        return await output;
    }
}
