namespace Perennial.Packages.Tests;

/// <summary>Programs compiled to machine code ahead of time (native AOT), where the compiler's toolchain is installed.</summary>
public class NativeTests(LocalFeed feed)
{
    private const string Runtime = "linux-x64";

    [Fact]
    public async Task A_native_program_uses_client_server_store_and_gateway()
    {
        SkipWithoutToolchain();
        var folder = feed.NewProject(
            "Microsoft.NET.Sdk.Web",
            "<PublishAot>true</PublishAot>",
            "Perennial",
            "Perennial.AspNetCore",
            "Perennial.Extensions.AI",
            "Perennial.Gateway",
            "Perennial.Sqlite");
        File.Copy(
            Path.Combine(LocalFeed.Repository, "tests/Perennial.Packages.Tests/NativeApp/Program.cs"), Path.Combine(folder, "Program.cs"));
        var published = Path.Combine(folder, "published");
        await DotNet.RunAsync(folder, "publish", "-r", Runtime, "-o", published, "--nologo");

        var output = await DotNet.RunProgramAsync(Path.Combine(published, "App"), folder);

        output.Split('\n').Count(line => line.StartsWith("Completed: ", StringComparison.Ordinal)).ShouldBe(2, output);
    }

    [Fact]
    public async Task The_command_is_one_native_file_whose_demo_loses_nothing()
    {
        SkipWithoutToolchain();
        var published = feed.NewFolder();
        var output = await DotNet.RunAsync(
            LocalFeed.Repository,
            "publish",
            "src/Perennial.Cli",
            "-c",
            "Release",
            "-r",
            Runtime,
            "-p:PublishAot=true",
            $"-p:ArtifactsPath={feed.NewFolder()}",
            "-o",
            published,
            "--nologo");
        output.ShouldNotContain("warning");

        var demo = await DotNet.RunProgramAsync(Path.Combine(published, "Perennial.Cli"), published, "demo");

        demo.ShouldContain("0 lost");
    }

    private static void SkipWithoutToolchain()
    {
        var isThere = OperatingSystem.IsLinux()
            && (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "clang")));
        if (Environment.GetEnvironmentVariable("CI") is "true")
        {
            isThere.ShouldBeTrue("clang and zlib1g-dev must be installed in CI.");
        }

        Assert.SkipUnless(isThere, "SKIPPED: native AOT needs Linux, clang and zlib1g-dev.");
    }
}
