using System.Globalization;

namespace Perennial.Benchmarks;

/// <summary>Whether a process may open as many connections as a row needs. The runtime has raised the soft limit to the hard one.</summary>
internal static class OpenFiles
{
    private const int Spare = 200;
    private const string Field = "Max open files";

    /// <summary>Why there cannot be so many; null where there can, or where that is not known.</summary>
    public static string? WhyNot(int connections) => Limit() is { } limit && connections + Spare > limit
        ? string.Create(CultureInfo.InvariantCulture, $"skipped: a process may open {limit:N0} files here")
        : null;

    private static int? Limit()
    {
        var line = File.Exists("/proc/self/limits")
            ? File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal))
            : null;
        var soft = line?[Field.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return int.TryParse(soft, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }
}
