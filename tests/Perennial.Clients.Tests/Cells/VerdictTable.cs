using System.Text;
using Perennial.Clients.Tests.Clients;
using Perennial.Clients.Tests.Roads;

namespace Perennial.Clients.Tests.Cells;

/// <summary>The verdicts of all cells with broken answers, as a table in Markdown.</summary>
internal static class VerdictTable
{
    private static readonly IReadOnlyList<AnswerCase> Cases = [.. AnswerCase.All.Where(static each => each.IsBroken)];

    public static async Task<string> WriteAsync(Matrix matrix)
    {
        var table = new StringBuilder();
        AddRow(table, ["client", "dialect", .. Cases.Select(static each => each.Name)]);
        AddRow(table, [.. Enumerable.Repeat("---", Cases.Count + 2)]);
        foreach (var client in OfficialClient.All)
        {
            var cells = new List<string> { $"`{client.Package}` {client.Registry}", client.Provider.Dialect.Name };
            foreach (var @case in Cases)
            {
                cells.Add(await VerdictsAsync(matrix, client, @case));
            }

            AddRow(table, cells);
        }

        return table.ToString();
    }

    /// <summary>What the client says without Perennial, and what it says with it.</summary>
    private static async Task<string> VerdictsAsync(Matrix matrix, OfficialClient client, AnswerCase @case)
    {
        var direct = await VerdictAsync(Road.Direct);
        var verdicts = new List<string>();
        foreach (var road in Road.OverPerennial)
        {
            verdicts.Add(await VerdictAsync(road));
        }

        return $"{direct} → {string.Join(" / ", verdicts.Distinct(StringComparer.Ordinal))}";

        async Task<string> VerdictAsync(Road road) =>
            (await matrix.OutcomeAsync(new Cell(client, road, @case))).VerdictOf(client) switch
            {
                Verdict.Whole => "whole",
                Verdict.Error => "error",
                _ => "**quiet half**",
            };
    }

    private static void AddRow(StringBuilder table, IEnumerable<string> cells) =>
        table.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
}
