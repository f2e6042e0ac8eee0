using System.Text;
using Perennial.Engine;
using Perennial.Sse;

namespace Perennial.Tests.Sse;

/// <summary>Large events, long streams, and the limit: what is too large is found out with bounded memory.</summary>
public class SseSizeTests
{
    private const int Block = 64 * 1024;
    private const int MiB = 1024 * 1024;

    [Fact]
    public void An_event_of_16_MiB_comes_whole_if_the_limit_allows_it()
    {
        var payload = RandomText(16 * MiB);
        var messages = Parse(Event(payload), Block, maxMessageBytes: 16 * MiB);

        messages.ShouldHaveSingleItem().Data.Span.SequenceEqual(payload).ShouldBeTrue();
    }

    [Fact]
    public void An_event_of_many_lines_comes_whole_if_the_limit_allows_it()
    {
        var line = RandomText(1023);
        byte[] stream = [.. Enumerable.Repeat<byte[]>([.. "data:"u8, .. line, (byte)'\n'], 4 * 1024).SelectMany(each => each), (byte)'\n'];

        var message = Parse(stream, Block, maxMessageBytes: 4 * MiB).ShouldHaveSingleItem();

        message.Data.Length.ShouldBe(4 * MiB - 1);
        message.Data.Span[^1023..].SequenceEqual(line).ShouldBeTrue();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(5000)]
    [InlineData(Block)]
    public void The_limit_is_exact_whatever_the_pieces(int block)
    {
        const int Limit = 3000;

        Parse(Event(RandomText(Limit)), block, Limit).ShouldHaveSingleItem();
        ShouldBeTooLarge(Event(RandomText(Limit + 1)), block, Limit);
        ShouldBeTooLarge([.. "data:"u8, .. RandomText(Limit), .. "\ndata\n\n"u8], block, Limit);
        ShouldBeTooLarge([.. ":"u8, .. RandomText(Limit + 1024), .. "\n\n"u8], block, Limit);
    }

    [Fact]
    public void An_event_just_too_large_costs_a_few_times_the_limit_at_most()
    {
        const int Limit = 4 * MiB;
        var stream = Event(RandomText(Limit + 1));
        var before = GC.GetAllocatedBytesForCurrentThread();

        ShouldBeTooLarge(stream, Block, Limit);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(5L * Limit);
    }

    [Theory]
    [InlineData(":")]
    [InlineData("data:")]
    [InlineData("data: a\ndata:")]
    [InlineData("id:")]
    [InlineData("event:")]
    [InlineData("retry:")]
    [InlineData("unknown")]
    public void A_line_without_end_is_given_up_at_the_limit(string beginning)
    {
        const int Limit = MiB;
        var parser = new SseEventParser(Limit, lastEventId: null);
        var batch = new MessageBatch();
        var endless = new byte[Block];
        Array.Fill(endless, (byte)'1');
        long sent = beginning.Length;
        parser.Parse(Encoding.UTF8.GetBytes(beginning), batch);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var error = Should.Throw<TransportException>(() =>
        {
            while (sent < 100L * Limit)
            {
                sent += endless.Length;
                parser.Parse(endless, batch);
            }
        });

        error.Code.ShouldBe(TransportErrorCode.MessageTooLarge);
        sent.ShouldBeLessThanOrEqualTo(Limit + 2 * Block);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(5L * Limit);
    }

    [Fact]
    public void Data_lines_without_end_are_given_up_at_the_limit()
    {
        const int Limit = MiB;
        var lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("data:" + new string('x', 58) + "\n", 1024)));
        var parser = new SseEventParser(Limit, lastEventId: null);
        var batch = new MessageBatch();
        var before = GC.GetAllocatedBytesForCurrentThread();

        var error = Should.Throw<TransportException>(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                parser.Parse(lines, batch);
            }
        });

        error.Code.ShouldBe(TransportErrorCode.MessageTooLarge);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(5L * Limit);
    }

    [Fact]
    public void An_id_no_header_carries_is_too_large()
    {
        Parse([.. "id:"u8, .. RandomText(8 * 1024), .. "\ndata\n\n"u8], Block).ShouldHaveSingleItem();
        ShouldBeTooLarge([.. "id:"u8, .. RandomText(8 * 1024 + 1), .. "\ndata\n\n"u8], Block, MiB);
    }

    [Fact]
    public void Comments_without_end_are_no_event_and_cost_nothing()
    {
        var comments = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(": keep-alive\n\n", 4096)));
        var parser = new SseEventParser(maxMessageBytes: 1024, lastEventId: null);
        var batch = new MessageBatch();
        parser.Parse(comments, batch);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++)
        {
            parser.Parse(comments, batch);
        }

        // The runtime may allocate some kilobytes on this thread once, as it did on a busy machine. A byte for each comment would be
        // 409,600.
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(64 * 1024);
        batch.Count.ShouldBe(0);
    }

    [Fact]
    public void A_hundred_thousand_events_stay_in_order()
    {
        var stream = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(1, 100_000).Select(i => $"id: {i}\ndata: {i}\n\n")));
        var random = new Random(7);
        var parser = new SseEventParser(MiB, lastEventId: null);
        var batch = new MessageBatch();
        var cursor = new ResumeCursor(null, isExact: true, new Lock());
        var expected = 1;
        for (var start = 0; start < stream.Length;)
        {
            var end = Math.Min(start + random.Next(1, 2000), stream.Length);
            parser.Parse(stream.AsSpan(start, end - start), batch);
            start = end;
            foreach (ref readonly var message in batch.Messages)
            {
                message.Text.ShouldBe($"{expected}");
                message.Id.ShouldBe($"{expected}");
                expected++;
            }

            cursor.MovePast(batch.Messages);
            batch.Clear();
        }

        expected.ShouldBe(100_001);
        cursor.Value.ShouldBe("100000");
    }

    private static List<StreamMessage> Parse(byte[] stream, int block, int maxMessageBytes = MiB)
    {
        var parser = new SseEventParser(maxMessageBytes, lastEventId: null);
        var batch = new MessageBatch();
        var messages = new List<StreamMessage>();
        try
        {
            for (var start = 0; start < stream.Length; start += block)
            {
                parser.Parse(stream.AsSpan(start, Math.Min(block, stream.Length - start)), batch);
                messages.AddRange(batch.Messages);
                batch.Clear();
            }
        }
        finally
        {
            parser.Release();
        }

        return messages;
    }

    private static void ShouldBeTooLarge(byte[] stream, int block, int maxMessageBytes) =>
        Should.Throw<TransportException>(() => Parse(stream, block, maxMessageBytes)).Code.ShouldBe(TransportErrorCode.MessageTooLarge);

    private static byte[] Event(byte[] payload) => [.. "data: "u8, .. payload, .. "\n\n"u8];

    private static byte[] RandomText(int length) => new Random(length).GetItems([.. "abcdefghijklmnopqrstuvwxyz "u8], length);
}
