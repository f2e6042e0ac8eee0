using Perennial.Clients.Tests.Cells;
using Perennial.Clients.Tests.Roads;

[assembly: AssemblyFixture(typeof(Matrix))]

namespace Perennial.Clients.Tests;

/// <summary>Official clients read whole answers through Perennial.</summary>
public class WholeAnswerTests(Matrix matrix)
{
    public static TheoryData<string, string, string> Cells => CellData.Of(@case => !@case.IsBroken);

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Text_calls_and_usage_are_those_that_the_provider_sent(string client, string @case, string road)
    {
        var cell = CellData.Find(client, @case, road);
        var direct = await matrix.OutcomeAsync(cell with { Road = Road.Direct });
        direct.Error.ShouldBeNull();
        direct.Reading.ShouldBe(cell.Client.WholeReading);

        var outcome = await matrix.OutcomeAsync(cell);

        outcome.Error.ShouldBeNull();
        outcome.Reading.ShouldBe(direct.Reading);
        outcome.Prompts.ShouldBe(1);
    }
}
