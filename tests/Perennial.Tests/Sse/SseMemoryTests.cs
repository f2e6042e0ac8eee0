using System.Text;
using Perennial.Sse;

namespace Perennial.Tests.Sse;

/// <summary>Messages own their bytes, and cost hardly more than those.</summary>
public class SseMemoryTests
{
    private const int Events = 10_000;

    /// <summary>Memory per message beyond the message's own bytes.</summary>
    private const int Budget = 16;

    [Fact]
    public void Messages_keep_their_bytes_whatever_is_read_later()
    {
        var block = new byte[700];
        var parser = new SseEventParser(maxMessageBytes: 4096, lastEventId: null);
        var batch = new MessageBatch();
        var kept = new List<StreamMessage>();
        var stream =
            Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 2000).Select(i => $"id: i{i}\nevent: e{i % 20}\n{Lines(i)}\n")));
        foreach (var piece in stream.Chunk(block.Length))
        {
            // The connection reads into one block, again and again.
            piece.CopyTo(block, 0);
            parser.Parse(block.AsSpan(0, piece.Length), batch);
            kept.AddRange(batch.Messages);
            batch.Clear();
        }

        Array.Clear(block);
        parser.Release();

        kept.Count.ShouldBe(2000);
        for (var i = 0; i < kept.Count; i++)
        {
            kept[i].Text.ShouldBe(string.Join('\n', Enumerable.Repeat($"payload {i}", 1 + (i % 50))));
            kept[i].Id.ShouldBe($"i{i}");
            kept[i].EventType.ShouldBe($"e{i % 20}");
        }

        static string Lines(int i) => string.Concat(Enumerable.Repeat($"data: payload {i}\n", 1 + (i % 50)));
    }

    [Fact]
    public void An_id_that_stays_in_force_is_there_in_every_block_but_moves_the_cursor_once()
    {
        var messages = ReadAll(Encoding.UTF8.GetBytes(
            "id: first\ndata: x\n\n" + string.Concat(Enumerable.Repeat($"data: {new string('y', 5000)}\n\n", 100))));

        messages.ShouldAllBe(message => message.Id == "first");
        messages.Count(message => message.MovesCursor).ShouldBe(1);
        messages[0].MovesCursor.ShouldBeTrue();
    }

    [Fact]
    public void An_id_of_its_own_moves_the_cursor_even_if_it_is_empty_or_the_same_again()
    {
        var messages = ReadAll("data: none\n\nid: 1\ndata: own\n\nid: 1\ndata: again\n\nid\ndata: cleared\n\ndata: inherited\n\n"u8);

        messages.Select(message => message.MovesCursor).ShouldBe([false, true, true, true, false]);
        messages.Select(message => message.Id).ShouldBe([null, "1", "1", null, null]);
    }

    [Fact]
    public void A_known_event_type_is_one_string()
    {
        var messages = ReadAll("event: token\ndata: 1\n\nevent: token\ndata: 2\n\n"u8);

        messages[1].EventType.ShouldBeSameAs(messages[0].EventType);
    }

    [Fact]
    public void An_event_type_too_long_to_be_a_name_is_not_remembered()
    {
        var type = new string('t', 65);
        var messages = ReadAll(Encoding.UTF8.GetBytes($"event: {type}\ndata\n\nevent: {type}\ndata\n\n"));

        messages[1].EventType.ShouldBe(type);
        messages[1].EventType.ShouldNotBeSameAs(messages[0].EventType);
    }

    [Theory]
    [InlineData("data: {0}\n\n", 244, 0)]
    [InlineData("data: {0}\n\n", 20, 0)]
    [InlineData("id: {1:D6}\ndata: {0}\n\n", 244, 6)]
    [InlineData("id: {1:D6}\nevent: token\ndata: {0}\n\n", 20, 6)]
    public void A_message_costs_its_own_bytes_and_hardly_more(string form, int size, int idSize)
    {
        var own = size + idSize;
        byte[][] events =
            [.. Enumerable.Range(0, Events).Select(i => Encoding.UTF8.GetBytes(string.Format(null, form, new string('x', size), i)))];
        byte[][] blocks = [.. events.SelectMany(each => each).Chunk(64 * 1024)];

        AllocatedPerMessage(blocks).ShouldBeInRange(own - Budget, own + Budget);
        AllocatedPerMessage(events).ShouldBeInRange(own - Budget, own + Budget);
    }

    /// <summary>
    /// The second half of what is read, so that neither the growth of the batch nor a first block counts as a message's cost.
    /// </summary>
    private static double AllocatedPerMessage(byte[][] pieces)
    {
        var parser = new SseEventParser(maxMessageBytes: 4096, lastEventId: null);
        var batch = new MessageBatch();
        Read(pieces);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var count = Read(pieces);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        count.ShouldBe(Events);
        return allocated / (double)count;

        int Read(byte[][] these)
        {
            var messages = 0;
            foreach (var piece in these)
            {
                parser.Parse(piece, batch);
                messages += batch.Count;
                batch.Clear();
            }

            return messages;
        }
    }

    private static List<StreamMessage> ReadAll(ReadOnlySpan<byte> stream)
    {
        var batch = new MessageBatch();
        new SseEventParser(maxMessageBytes: 64 * 1024, lastEventId: null).Parse(stream, batch);
        return [.. batch.Messages];
    }
}
