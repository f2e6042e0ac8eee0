using System.Runtime.CompilerServices;
using Perennial.Clients.Tests.Cells;

namespace Perennial.Clients.Tests;

/// <summary>The page on dialects shows what clients do today, with and without Perennial.</summary>
public class DocumentedTableTests(Matrix matrix)
{
    private const string Accept = "PERENNIAL_ACCEPT_DIALECTS";
    private const string Start = "<!-- table of tests/Perennial.Clients.Tests -->\n";
    private const string End = "<!-- end of the table -->\n";

    [Fact]
    public async Task The_table_is_what_the_clients_do()
    {
        var table = await VerdictTable.WriteAsync(matrix);
        var page = await File.ReadAllTextAsync(Page(), TestContext.Current.CancellationToken);
        var (start, end) = (page.IndexOf(Start, StringComparison.Ordinal) + Start.Length, page.IndexOf(End, StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable(Accept) is "1")
        {
            await File.WriteAllTextAsync(Page(), page[..start] + table + page[end..], TestContext.Current.CancellationToken);
            return;
        }

        page[start..end].ShouldBe(table, $"If that is meant, run this test with {Accept}=1 and commit docs/dialects.md.");
    }

    private static string Page([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "docs", "dialects.md"));
}
