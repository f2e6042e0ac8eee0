using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Perennial.Architecture.Tests;

/// <summary>
/// Which folder of a project declares a type. Namespaces do not tell, because public types that every user needs are in the root namespace
/// whatever folder they are in; so this reads the declarations in the source.
/// </summary>
internal sealed partial class SourceFolders
{
    private readonly Dictionary<string, string> _folders = new(StringComparer.Ordinal);     // by the full name of a type without its arity

    private SourceFolders(string project)
    {
        foreach (var path in Directory.EnumerateFiles(project, "*.cs", SearchOption.AllDirectories))
        {
            var folder = Path.GetRelativePath(project, Path.GetDirectoryName(path)!).Replace('\\', '/');
            if (folder.Split('/')[0] is not ("bin" or "obj"))
            {
                Add(File.ReadAllText(path), folder);
            }
        }
    }

    /// <summary>Every folder that declares a type. The project's own folder is <c>.</c></summary>
    public IReadOnlySet<string> All => _folders.Values.ToHashSet(StringComparer.Ordinal);

    /// <summary>Reads the sources of a project in <c>src</c>.</summary>
    public static SourceFolders Of(string project, [CallerFilePath] string thisFile = "") =>
        new(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "src", project)));

    /// <summary>
    /// The folder that declares a type, or for a nested type the type around it; <see langword="null"/> if no source declares it.
    /// </summary>
    public string? Of(string fullName) => _folders.GetValueOrDefault(fullName.Split('+', '/', '`', '<')[0]);

    private void Add(string source, string folder)
    {
        var space = Namespace().Match(source);
        foreach (Match type in Declaration().Matches(source))
        {
            _folders[space.Success ? $"{space.Groups["name"].Value}.{type.Groups["name"].Value}" : type.Groups["name"].Value] = folder;
        }
    }

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Namespace();

    /// <summary>A declaration at the top of a file, where nothing is indented.</summary>
    [GeneratedRegex(
        @"^(?:(?:public|internal|static|sealed|abstract|readonly|partial|ref|unsafe)\s+)*"
        + @"(?:class|struct|interface|enum|record(?:\s+struct|\s+class)?|delegate\s+[\w<>?.\[\], ]+?)\s+(?<name>[A-Z]\w*)",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Declaration();
}
