using Perennial.Clients.Tests.Cells;
using Perennial.Clients.Tests.Roads;

namespace Perennial.Clients.Tests;

/// <summary>Official clients read answers through Perennial that break off.</summary>
public class BrokenAnswerTests(Matrix matrix)
{
    public static TheoryData<string, string, string> Cells => CellData.Of(@case => @case.IsBroken);

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task What_is_not_whole_is_an_error(string client, string @case, string road)
    {
        var cell = CellData.Find(client, @case, road);

        var outcome = await matrix.OutcomeAsync(cell);

        outcome.VerdictOf(cell.Client).ShouldNotBe(Verdict.QuietHalf, outcome.ToString());
        outcome.Prompts.ShouldBe(1);
        if (cell.TellsError && (await matrix.OutcomeAsync(cell with { Road = Road.Direct })).TellsError)
        {
            outcome.Error.ShouldNotBeNull().ShouldContain(AnswerCase.Message);
        }
    }
}
