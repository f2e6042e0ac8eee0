using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Xml.Linq;

[assembly: AssemblyFixture(typeof(Perennial.Packages.Tests.LocalFeed))]

namespace Perennial.Packages.Tests;

/// <summary>
/// The packages, made once from what the solution's build left, in a folder outside the repository. Projects that install them have a
/// package folder of their own: the machine's could hold older packages of the same version.
/// </summary>
public sealed class LocalFeed : IAsyncLifetime
{
    private readonly string _root = Directory.CreateTempSubdirectory("perennial-packages-").FullName;

    /// <summary>The folder of the repository.</summary>
    public static string Repository { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../.."));

    /// <summary>The folder that holds the packages.</summary>
    public string Folder => Path.Combine(_root, "feed");

    /// <summary>What <c>dotnet pack</c> printed.</summary>
    public string PackOutput { get; private set; } = "";

    /// <summary>The version of all packages.</summary>
    public string Version { get; private set; } = "";

    /// <summary>The names of the packages, which are the names of the folders in <c>src</c> that have a project.</summary>
    public static IEnumerable<string> Names { get; } =
        [.. Directory.GetFiles(Path.Combine(Repository, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(file => Path.GetFileNameWithoutExtension(file)!)
            .Order(StringComparer.Ordinal)];

    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        PackOutput = await DotNet.RunAsync(
            Repository, "pack", "Perennial.slnx", "--no-build", "-c", Configuration, "-o", Folder, "--nologo", "-v", "quiet");
        using var package = Open("Perennial.Wire", "*.nupkg");
        Version = Metadata(package).Element("version")!.Value;
    }

    /// <summary>The text of a file in a package.</summary>
    public static string Text(ZipArchive package, string path)
    {
        using var reader = new StreamReader(package.GetEntry(path).ShouldNotBeNull($"The package has no {path}.").Open());
        return reader.ReadToEnd();
    }

    /// <summary>The metadata of a package, without its XML namespace.</summary>
    public static XElement Metadata(ZipArchive package)
    {
        var document = XDocument.Parse(Text(package, package.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal)).FullName));
        foreach (var element in document.Descendants())
        {
            element.Name = element.Name.LocalName;
        }

        return document.Root!.Element("metadata")!;
    }

    /// <summary>Opens a package, or its symbols.</summary>
    public ZipArchive Open(string name, string extension = "*.nupkg") =>
        ZipFile.OpenRead(Directory.GetFiles(Folder, $"{name}.*{extension[1..]}").Single(file => char.IsDigit(Path.GetFileName(file)[name.Length + 1])));

    /// <summary>An empty folder outside the repository.</summary>
    public string NewFolder() => Directory.CreateDirectory(Path.Combine(_root, Guid.NewGuid().ToString("N"))).FullName;

    /// <summary>A new project outside the repository that gets these packages, and others from where the machine gets them.</summary>
    /// <param name="sdk">The SDK of the project.</param>
    /// <param name="properties">Further properties, as XML.</param>
    /// <param name="packages">The packages of Perennial that it references.</param>
    /// <returns>The folder of the project.</returns>
    public string NewProject(string sdk, string properties, params IEnumerable<string> packages)
    {
        var folder = NewFolder();
        File.WriteAllText(
            Path.Combine(folder, "App.csproj"),
            $"""
            <Project Sdk="{sdk}">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <OutputType>Exe</OutputType>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <NuGetAudit>false</NuGetAudit>
                <RestoreAdditionalProjectSources>{Folder}</RestoreAdditionalProjectSources>
                <RestorePackagesPath>{Path.Combine(_root, "packages")}</RestorePackagesPath>
                {properties}
              </PropertyGroup>
              <ItemGroup>
                {string.Concat(packages.Select(name => $"""<PackageReference Include="{name}" Version="{Version}" />"""))}
              </ItemGroup>
            </Project>
            """);
        return folder;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Directory.Delete(_root, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
