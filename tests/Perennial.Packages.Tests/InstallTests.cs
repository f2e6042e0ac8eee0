namespace Perennial.Packages.Tests;

/// <summary>The packages as a user gets them: installed into a new project outside the repository.</summary>
public class InstallTests(LocalFeed feed)
{
    [Fact]
    public async Task The_code_of_the_readme_runs_from_the_packages()
    {
        var folder = feed.NewProject("Microsoft.NET.Sdk.Web", "", "Perennial", "Perennial.AspNetCore");
        File.Copy(Path.Combine(LocalFeed.Repository, "samples/Quickstart/Program.cs"), Path.Combine(folder, "Program.cs"));

        var output = await DotNet.RunAsync(folder, "run", "--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default", "Warning");

        output.ShouldContain("A dropped line loses nothing.");
        output.ShouldContain("Completed");
    }

    [Fact]
    public async Task A_project_with_every_library_builds_without_a_warning()
    {
        var libraries = LocalFeed.Names.Where(name => name is not "Perennial.Cli");
        var folder = feed.NewProject("Microsoft.NET.Sdk.Web", "", libraries);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "Program.cs"), "Console.WriteLine(typeof(Perennial.Transport));", TestContext.Current.CancellationToken);

        (await DotNet.RunAsync(folder, "run")).Trim().ShouldBe("Perennial.Transport");
    }

    [Fact]
    public async Task The_command_installs_as_a_tool()
    {
        var folder = feed.NewProject("Microsoft.NET.Sdk", "");
        await DotNet.RunAsync(
            folder, "tool", "install", "Perennial.Cli", "--version", feed.Version, "--add-source", feed.Folder, "--tool-path", folder);

        (await DotNet.RunProgramAsync(Path.Combine(folder, "perennial"), folder, "--version"))
            .ShouldStartWith(feed.Version[..feed.Version.LastIndexOf('.')]);     // without the number of commits since the tag
    }
}
