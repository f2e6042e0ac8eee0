using System.Text;
using Perennial.HttpStreams;

namespace Perennial.Tests.HttpStreams;

/// <summary>Large lines and the limit: what is too large is found out with bounded memory, wherever the pieces end.</summary>
public class NdjsonSizeTests
{
    private const int Limit = 3000;

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(Limit + 1)]
    [InlineData(64 * 1024)]
    public void The_limit_is_exact_whatever_the_pieces_and_the_line_end(int block)
    {
        foreach (var end in new[] { "", "\n", "\r\n", "\n\n" })
        {
            Read(Line(Limit, end), block).ShouldBe(1);
            Should.Throw<TransportException>(() => Read(Line(Limit + 1, end), block)).Code.ShouldBe(TransportErrorCode.MessageTooLarge);
        }

        Read([0xEF, 0xBB, 0xBF, .. Line(Limit, "\r\n")], block).ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_line_without_end_costs_a_few_times_the_limit_at_most(bool opensEnvelopes)
    {
        const int Large = 1024 * 1024;
        var parser = new NdjsonParser(Large, opensEnvelopes);
        var batch = new MessageBatch();
        var block = new byte[64 * 1024];
        block.AsSpan().Fill((byte)'{');
        var sent = 0L;
        var before = GC.GetAllocatedBytesForCurrentThread();

        var error = Should.Throw<TransportException>(() =>
        {
            for (; sent < 100L * Large; sent += block.Length)
            {
                parser.Parse(block, batch);
            }
        });

        error.Code.ShouldBe(TransportErrorCode.MessageTooLarge);
        sent.ShouldBeLessThanOrEqualTo(Large);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(5L * Large);
    }

    [Fact]
    public void An_id_no_header_carries_is_too_large()
    {
        var parser = new NdjsonParser(1024 * 1024, opensEnvelopes: true);
        var batch = new MessageBatch();
        parser.Parse(Envelope(8 * 1024), batch);

        Should.Throw<TransportException>(
            () => parser.Parse(Envelope(8 * 1024 + 1), batch)).Code.ShouldBe(TransportErrorCode.MessageTooLarge);

        batch.Count.ShouldBe(1);
        static byte[] Envelope(int idLength) => [.. "{\"id\":\""u8, .. Enumerable.Repeat((byte)'7', idLength), .. "\",\"data\":1}\n"u8];
    }

    [Fact]
    public void Messages_keep_their_bytes_whatever_is_read_later()
    {
        var parser = new NdjsonParser(4096, opensEnvelopes: false);
        var batch = new MessageBatch();
        List<StreamMessage> kept = [];
        var block = new byte[70];
        var body = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 2000).Select(static i => $"{{\"n\":{i}}}\r\n")));
        foreach (var piece in body.Chunk(block.Length))
        {
            // The connection reads into one block, again and again.
            piece.CopyTo(block, 0);
            parser.Parse(block.AsSpan(0, piece.Length), batch);
            kept.AddRange(batch.Messages);
            batch.Clear();
        }

        parser.Release();

        kept.Select(static message => message.Text).ShouldBe(Enumerable.Range(0, 2000).Select(static i => $"{{\"n\":{i}}}"));
    }

    private static int Read(byte[] body, int block)
    {
        var parser = new NdjsonParser(Limit, opensEnvelopes: false);
        var batch = new MessageBatch();
        foreach (var piece in body.Chunk(block))
        {
            parser.Parse(piece, batch);
        }

        parser.ParseEnd(batch);
        return batch.Count;
    }

    private static byte[] Line(int length, string end) =>
        [(byte)'"', .. Enumerable.Repeat((byte)'x', length - 2), (byte)'"', .. Encoding.UTF8.GetBytes(end)];
}
