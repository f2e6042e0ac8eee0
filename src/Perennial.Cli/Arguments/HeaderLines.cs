namespace Perennial.Cli.Arguments;

/// <summary>Reads headers written as <c>Name: value</c>. The values never appear in an error.</summary>
internal static class HeaderLines
{
    /// <exception cref="UsageException">A line has no colon.</exception>
    public static IReadOnlyDictionary<string, string> Parse(IEnumerable<string> lines)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                throw new UsageException("--header must look like 'Name: value'");
            }

            var name = line[..colon];
            var value = line[(colon + 1)..].Trim(' ', '\t');
            headers[name] = headers.TryGetValue(name, out var earlier) ? earlier + Separator(name) + value : value;
        }

        return headers;
    }

    /// <summary>Fields with the same name are joined by commas (RFC 9110, 5.3), except cookies (RFC 6265, 5.4).</summary>
    private static string Separator(string name) => string.Equals(name, "Cookie", StringComparison.OrdinalIgnoreCase) ? "; " : ", ";
}
