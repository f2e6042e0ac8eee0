using System.Globalization;

namespace Perennial.Benchmarks;

/// <summary>Rows whose numbers look the same everywhere.</summary>
internal static class Table
{
    public static void Print(FormattableString row) => Console.WriteLine(row.ToString(CultureInfo.InvariantCulture));
}
