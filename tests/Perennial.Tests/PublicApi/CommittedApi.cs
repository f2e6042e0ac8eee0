using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using PublicApiGenerator;

namespace Perennial.Tests.PublicApi;

/// <summary>Compares an assembly's public API to the text beside the test that asks.</summary>
internal static class CommittedApi
{
    private const string Accept = "PERENNIAL_ACCEPT_API";
    private const string MemberIndent = "        ";

    // The text says all that callers see: types and members as C#, with nullability, constraints and default values. It leaves out
    // attributes that are sentences for people.
    private static readonly ApiGeneratorOptions Options = new()
    {
        IncludeAssemblyAttributes = false,
        DenyNamespacePrefixes = [],
        ExcludeAttributes = [typeof(RequiresUnreferencedCodeAttribute).FullName!, typeof(RequiresDynamicCodeAttribute).FullName!],
    };

    public static void ShouldBeThatOf(Assembly assembly, [CallerFilePath] string callersFile = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(callersFile)!, $"{assembly.GetName().Name}.txt");
        var actual = assembly.GeneratePublicApi(Options).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable(Accept) is "1")
        {
            File.WriteAllText(path, actual);
        }

        var committed = File.Exists(path) ? File.ReadAllText(path) : "";
        if (string.Equals(committed, actual, StringComparison.Ordinal))
        {
            return;
        }

        Assert.Fail(
            $"""
            The public API of {assembly.GetName().Name} is not the one in {path}.
            {Changes(committed, actual)}
            If that is meant, run this test with {Accept}=1 and commit the file; a removed line is a breaking change for the changelog.
            """);
    }

    private static string Changes(string before, string after)
    {
        var (old, now) = (Lines(before), Lines(after));
        return string.Join('\n', old.Except(now, StringComparer.Ordinal).Select(static line => $"- {line}")
            .Concat(now.Except(old, StringComparer.Ordinal).Select(static line => $"+ {line}")));
    }

    /// <summary>Each member with its type's name, so that equal lines of different types are told apart.</summary>
    private static List<string> Lines(string text)
    {
        var type = "";
        var lines = new List<string>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var isMember = line.StartsWith(MemberIndent, StringComparison.Ordinal);
            type = isMember || line.Trim() is "{" or "}" ? type : line.Trim();
            lines.Add(isMember ? $"{type} | {line.Trim()}" : line);
        }

        return lines;
    }
}
