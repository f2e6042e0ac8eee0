using System.Text;

namespace Perennial.Packages.Tests;

/// <summary>What each package says about itself and what it contains.</summary>
public class PackageTests(LocalFeed feed)
{
    public static TheoryData<string> Names { get; } = [.. LocalFeed.Names];

    [Fact]
    public void Packing_prints_no_warning_and_makes_only_packages_of_the_libraries()
    {
        feed.PackOutput.ShouldNotContain("warning");
        Directory.GetFiles(feed.Folder, "*.nupkg").Length.ShouldBe(LocalFeed.Names.Count());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_package_says_what_a_team_checks_before_it_takes_a_dependency(string name)
    {
        using var package = feed.Open(name);
        var metadata = LocalFeed.Metadata(package);

        metadata.Element("id")!.Value.ShouldBe(name);
        metadata.Element("license")!.Value.ShouldBe("MIT");
        metadata.Element("description")!.Value.Length.ShouldBeInRange(40, 300);
        metadata.Element("tags")!.Value.ShouldContain("streaming");
        metadata.Element("projectUrl")!.Value.ShouldStartWith("https://");
        metadata.Element("icon")!.Value.ShouldBe("icon.png");
        var repository = metadata.Element("repository")!;
        repository.Attribute("url")!.Value.ShouldStartWith("https://");
        repository.Attribute("commit")!.Value.Length.ShouldBe(40);
        package.GetEntry("icon.png").ShouldNotBeNull();
        var readme = LocalFeed.Text(package, "README.md");
        readme.ShouldStartWith($"# {name}\n");
        readme.ShouldNotContain("](docs/", customMessage: "A page on a package server has no files beside it: its links are absolute.");
        readme.ShouldNotContain("](../");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_package_has_its_documentation_and_its_symbols(string name)
    {
        using var package = feed.Open(name);
        using var symbols = feed.Open(name, "*.snupkg");

        package.Entries.ShouldContain(entry => entry.Name.Equals($"{name}.dll", StringComparison.Ordinal));
        symbols.Entries.ShouldContain(entry => entry.Name.Equals($"{name}.pdb", StringComparison.Ordinal));
        if (name is not "Perennial.Cli")
        {
            package.Entries.ShouldContain(entry => entry.Name.Equals($"{name}.xml", StringComparison.Ordinal));
        }
    }

    /// <summary>A build server's packages are the same wherever it builds.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void A_package_of_a_build_server_names_no_folder_of_it(string name)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") is "true", "Only a build with CI=true leaves its folders out.");
        var folder = Encoding.UTF8.GetBytes(LocalFeed.Repository);
        foreach (var extension in new[] { "*.nupkg", "*.snupkg" })
        {
            using var package = feed.Open(name, extension);
            foreach (var entry in package.Entries.Where(
                entry => entry.Name.Equals($"{name}.dll", StringComparison.Ordinal) || entry.Name.EndsWith(".pdb", StringComparison.Ordinal)))
            {
                using var bytes = new MemoryStream();
                using var content = entry.Open();
                content.CopyTo(bytes);
                bytes.GetBuffer().AsSpan(0, (int)bytes.Length).IndexOf(folder).ShouldBe(-1, entry.FullName);
            }
        }
    }
}
