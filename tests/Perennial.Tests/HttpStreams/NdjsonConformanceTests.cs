using System.Text.Json;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.HttpStreams;

/// <summary>Every case of conformance/ndjson.json reads the same, whatever the pieces it comes in.</summary>
public class NdjsonConformanceTests
{
    /// <summary>Inputs up to this size are cut at every pair of positions: more would take long and tell nothing new.</summary>
    private const int LargestForPairs = 60;

    private static readonly Dictionary<string, Case> ByName = ConformanceFile.Load("ndjson.json", Case.Parse);

    public static TheoryData<string> Cases => [.. ByName.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public Task Reads_in_one_piece(string name) => CheckAsync(ByName[name], []);

    [Theory]
    [MemberData(nameof(Cases))]
    public Task Reads_byte_by_byte(string name) => CheckAsync(ByName[name], [.. Enumerable.Range(0, ByName[name].Input.Length)]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Reads_in_two_pieces(string name)
    {
        for (var cut = 1; cut < ByName[name].Input.Length; cut++)
        {
            await CheckAsync(ByName[name], [cut]);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Reads_in_three_pieces(string name)
    {
        var most = Math.Min(ByName[name].Input.Length, LargestForPairs);
        for (var first = 1; first < most; first++)
        {
            for (var second = first + 1; second < most; second++)
            {
                await CheckAsync(ByName[name], [first, second]);
            }
        }
    }

    private static async Task CheckAsync(Case each, int[] cuts)
    {
        var reading = await NdjsonReading.OfAsync(each.Input, cuts, each.IsPerennial, each.IsCut);
        reading.ShouldBe(each.Expected, $"cut at [{string.Join(", ", cuts)}]");
    }

    private sealed record Case(byte[] Input, bool IsPerennial, bool IsCut, string Expected)
    {
        public static Case Parse(JsonElement json) => new(
            ConformanceFile.Input(json.GetProperty("input")),
            json.TryGetProperty("perennial", out _),
            json.TryGetProperty("cut", out _),
            NdjsonReading.Summary(
                json.GetProperty("messages").EnumerateArray().Select(static message => NdjsonReading.Message(
                    message.GetProperty("id").GetString(),
                    message.GetProperty("type").GetString()!,
                    message.GetProperty("data").GetString()!,
                    message.TryGetProperty("binary", out _))),
                json.GetProperty("malformed").GetInt32(),
                json.GetProperty("errors").GetInt32(),
                json.GetProperty("outcome").GetString()!,
                json.GetProperty("cursor").GetString()));
    }
}
