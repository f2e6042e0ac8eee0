using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Perennial.AspNetCore.Tests.Interop;

/// <summary>A program that is not ours, as a person would run it.</summary>
internal static class ForeignProgram
{
    /// <summary>Runs it to its end in a folder under tests/interop, and returns what it printed.</summary>
    public static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        using var process = Start(folder, program, arguments);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, output);
        return output;
    }

    /// <summary>Starts it, with its output to be read.</summary>
    public static Process Start(string folder, string program, params string[] arguments) =>
        Process.Start(
            new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder(folder), UseShellExecute = false, RedirectStandardOutput = true })!;

    /// <summary>Why a program cannot be run here; null where it can. Where CI is true it has to be there.</summary>
    public static string? WhyNot(string program)
    {
        if (Environment.GetEnvironmentVariable("CI") is "true")
        {
            return null;
        }

        try
        {
            using var process = Start("", program, "--version");
            process.WaitForExit();
            return null;
        }
        catch (Win32Exception)
        {
            return $"{program} is not installed.";
        }
    }

    /// <summary>Installs the packages of a folder as its lock file says.</summary>
    public static async Task InstallAsync(string folder)
    {
        if (!Directory.Exists(Path.Combine(Folder(folder), "node_modules")))
        {
            await RunAsync(folder, "npm", "ci", "--no-audit", "--no-fund");
        }
    }

    private static string Folder(string name, [CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "interop", name));
}
