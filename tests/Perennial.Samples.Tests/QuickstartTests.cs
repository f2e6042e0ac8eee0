using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Perennial.Samples.Tests;

public class QuickstartTests
{
    [Fact]
    public async Task The_quickstart_prints_what_its_server_says()
    {
        var sample = Path.Combine(AppContext.BaseDirectory, "Quickstart.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [sample])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = AppContext.BaseDirectory,
        })!;

        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        (await errors).ShouldBeEmpty();
        output.ShouldBe("A dropped line loses nothing. Completed\n");
        process.ExitCode.ShouldBe(0);
    }

    [Theory]
    [InlineData("samples/Quickstart/Program.cs")]
    [InlineData("samples/Tour/Tour.cs")]
    public void The_readme_shows_code_as_it_is_compiled(string sample)
    {
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../.."));
        var readme = File.ReadAllText(Path.Combine(root, "README.md"));

        readme.ShouldContain($"```csharp\n{File.ReadAllText(Path.Combine(root, sample))}```");
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
