using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace Perennial.Tests.Sse;

/// <summary>Our parser, a plain reading of the standard and the platform's parser agree on random documents in random pieces.</summary>
public class SseDifferentialTests
{
    private const int DocumentsPerSeed = 5_000;

    public static TheoryData<string> Deviations => [.. PlatformDeviation.All.Select(deviation => deviation.Name)];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_documents_read_as_the_standard_and_the_platform_read_them(int seed)
    {
        var generator = new SseDocumentGenerator(seed);
        var comparedInFull = 0;
        for (var i = 0; i < DocumentsPerSeed; i++)
        {
            var document = new SseDocument(generator.Next());
            var cuts = generator.Cuts(document.Bytes.Length);
            var read = StreamReading.Of(document.Bytes, cuts);
            var standard = document.Read();
            if (!read.Equals(standard))
            {
                Fail("the standard", standard);
            }

            HashSet<ReadingPart> excused = [.. PlatformDeviation.PartsIn(document)];
            comparedInFull += excused.Count == 0 ? 1 : 0;
            var platform = PlatformParser.Read(document.Bytes);
            if (!Without(read, excused).Equals(Without(platform, excused)))
            {
                Fail("the platform", platform);
            }

            void Fail(string oracle, StreamReading expected) => Assert.Fail($"""
                seed {seed}, document {i}: {JsonSerializer.Serialize(document.Text)}
                in hex: {Convert.ToHexString(document.Bytes)}
                cut at [{string.Join(", ", cuts)}]
                by {oracle}: {expected}
                read: {read}
                """);
        }

        comparedInFull.ShouldBeGreaterThan(DocumentsPerSeed / 2);
    }

    [Theory]
    [MemberData(nameof(Deviations))]
    public void The_platform_still_deviates(string name)
    {
        var deviation = PlatformDeviation.All.Single(each => string.Equals(each.Name, name, StringComparison.Ordinal));
        var document = new SseDocument(Encoding.UTF8.GetBytes(deviation.Example));
        var platform = PlatformParser.Read(document.Bytes);

        deviation.IsIn(document).ShouldBeTrue();
        StreamReading.Of(document.Bytes).ShouldBe(document.Read());
        platform.ShouldNotBe(document.Read());
        Without(platform, [deviation.Part]).ShouldBe(Without(document.Read(), [deviation.Part]));
    }

    /// <summary>This deviation is one of time, which no finite document shows: the platform waits for an LF that may never come.</summary>
    [Fact]
    public void The_platform_still_holds_back_an_event_that_ends_in_CR()
    {
        var bytes = "data: 1\r\r"u8.ToArray();
        var parser = SseParser.Create(new StreamThatMustNotBeReadOn(bytes));

        Should.Throw<InvalidOperationException>(() => parser.Enumerate().First());

        StreamReading.Of(bytes).Messages.ShouldBe([new ReadMessage(null, "message", "1")]);
    }

    private static StreamReading Without(StreamReading reading, HashSet<ReadingPart> parts) => new(
        parts.Contains(ReadingPart.Types) ? [.. reading.Messages.Select(message => message with { Type = "" })] : reading.Messages,
        parts.Contains(ReadingPart.Cursor) ? null : reading.Cursor,
        parts.Contains(ReadingPart.Retry) ? null : reading.Retry);

    /// <summary>Yields its bytes in one read; the next one, where a connection would wait, throws.</summary>
    private sealed class StreamThatMustNotBeReadOn(byte[] bytes) : MemoryStream(bytes, writable: false)
    {
        public override int Read(byte[] buffer, int offset, int count) =>
            Position < Length ? base.Read(buffer, offset, count) : throw new InvalidOperationException("Read on.");
    }
}
