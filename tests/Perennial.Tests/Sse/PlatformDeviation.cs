namespace Perennial.Tests.Sse;

/// <summary>What of a reading a deviation may change.</summary>
internal enum ReadingPart
{
    Types,
    Cursor,
    Retry,
}

/// <summary>
/// One way in which <see cref="System.Net.ServerSentEvents.SseParser"/> leaves the standard. The list is complete: beyond it,
/// random documents read the same. And it is honest: each example still reads differently on the runtime the tests run on.
/// </summary>
internal sealed record PlatformDeviation(string Name, ReadingPart Part, Func<SseDocument, bool> IsIn, string Example)
{
    public static IReadOnlyList<PlatformDeviation> All { get; } =
    [
        new(
            "The type of an event without data leaks into the next event",
            ReadingPart.Types,
            document =>
                document.Blocks.Exists(
                    block => block.Exists(field => field.Name is "event") && !block.Exists(field => field.Name is "data")),
            "event: a\n\ndata: 1\n\n"),
        new(
            "An empty type stays empty instead of being message",
            ReadingPart.Types,
            document => document.Blocks.Exists(block => block.LastOrDefault(field => field.Name is "event") is { Value: "" }),
            "event:\ndata: 1\n\n"),
        new(
            "The id of an incomplete event moves LastEventId",
            ReadingPart.Cursor,
            document => document.Rest.Exists(field => field.IsId),
            "id: 1\ndata: a\n\nid: 2\n"),
        new(
            "A delay longer than timers take is believed up to the longest TimeSpan and ignored beyond; the conformance cases end both at 2^31 - 1 ms",
            ReadingPart.Retry,
            document => document.Blocks.SelectMany(block => block).Concat(document.Rest)
                .Any(field => field.IsDelay && double.Parse(field.Value) > int.MaxValue),
            "retry: 99999999999999999999\n"),
    ];

    public static IEnumerable<ReadingPart> PartsIn(SseDocument document) =>
        All.Where(deviation => deviation.IsIn(document)).Select(deviation => deviation.Part);
}
