using Perennial.Clients.Tests.Clients;
using Perennial.Clients.Tests.Roads;

namespace Perennial.Clients.Tests.Cells;

/// <summary>Cells as data of theories, by their names.</summary>
internal static class CellData
{
    public static TheoryData<string, string, string> Of(Func<AnswerCase, bool> isWanted)
    {
        var data = new TheoryData<string, string, string>();
        foreach (var client in OfficialClient.All)
        {
            foreach (var @case in AnswerCase.All.Where(each => isWanted(each) && (each.IsStreamed || client.HasPlainAnswers)))
            {
                foreach (var road in Road.OverPerennial)
                {
                    data.Add(client.ToString(), @case.Name, road.Name);
                }
            }
        }

        return data;
    }

    public static Cell Find(string client, string @case, string road) => new(
        OfficialClient.All.Single(each => string.Equals(each.ToString(), client, StringComparison.Ordinal)),
        Road.OverPerennial.Single(each => string.Equals(each.Name, road, StringComparison.Ordinal)),
        AnswerCase.All.Single(each => string.Equals(each.Name, @case, StringComparison.Ordinal)));
}
