using System.Text.RegularExpressions;

namespace Perennial.Cli.Demo;

/// <summary>The README that was built into the program. The demos stream it.</summary>
internal static partial class Readme
{
    public static string Read()
    {
        using var reader = new StreamReader(typeof(Readme).Assembly.GetManifestResourceStream("README.md")!);
        return reader.ReadToEnd();
    }

    /// <summary>Splits a text into words, each with the white space after it. Joined, they are the text.</summary>
    public static IReadOnlyList<string> Tokens(string text) => [.. Token().Matches(text).Select(match => match.Value)];

    [GeneratedRegex(@"\S+\s*|\s+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Token();
}
