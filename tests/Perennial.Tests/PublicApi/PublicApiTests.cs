using System.Runtime.CompilerServices;
using Perennial.Testing;

namespace Perennial.Tests.PublicApi;

/// <summary>The public API changes on purpose only: it is compared to the text committed beside this file.</summary>
public class PublicApiTests
{
    private const string Accept = "PERENNIAL_ACCEPT_API";

    [Fact]
    public void The_api_of_the_client_is_the_committed_one() => ShouldBeCommitted(typeof(Transport));

    [Fact]
    public void The_api_of_the_testing_library_is_the_committed_one() => ShouldBeCommitted(typeof(ScriptedServer));

    private static void ShouldBeCommitted(Type witness, [CallerFilePath] string thisFile = "")
    {
        var assembly = witness.Assembly;
        var path = Path.Combine(Path.GetDirectoryName(thisFile)!, $"{assembly.GetName().Name}.txt");
        var actual = ApiText.Of(assembly);
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
            type = line.StartsWith(' ') ? type : line;
            lines.Add(line.StartsWith(' ') ? $"{type} |{line}" : line);
        }

        return lines;
    }
}
