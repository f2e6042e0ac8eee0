namespace Perennial.Tests.Sse;

/// <summary>Every case of conformance/sse.json reads the same, whatever the pieces it comes in.</summary>
public class SseConformanceTests
{
    /// <summary>Inputs up to this size are cut at every pair of positions: more would take long and tell nothing new.</summary>
    private const int LargestForPairs = 80;

    public static TheoryData<string> Cases => [.. SseConformanceCase.ByName.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Reads_in_one_piece(string name) => Check(SseConformanceCase.ByName[name], []);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Reads_byte_by_byte(string name)
    {
        var each = SseConformanceCase.ByName[name];
        Check(each, [.. Enumerable.Range(1, Math.Max(each.Input.Length - 1, 0))]);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Reads_in_two_pieces(string name)
    {
        var each = SseConformanceCase.ByName[name];
        for (var cut = 0; cut <= each.Input.Length; cut++)
        {
            Check(each, [cut]);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Reads_in_three_pieces(string name)
    {
        var each = SseConformanceCase.ByName[name];
        var most = Math.Min(each.Input.Length, LargestForPairs);
        for (var first = 0; first <= most; first++)
        {
            for (var second = first; second <= most; second++)
            {
                Check(each, [first, second]);
            }
        }
    }

    private static void Check(SseConformanceCase each, ReadOnlySpan<int> cuts)
    {
        var reading = StreamReading.Of(each.Input, cuts, each.LastEventId);
        if (!reading.Equals(each.Expected))
        {
            Assert.Fail($"""
                {each.Name}, cut at [{string.Join(", ", cuts.ToArray())}]
                expected: {each.Expected}
                read: {reading}
                """);
        }
    }
}
