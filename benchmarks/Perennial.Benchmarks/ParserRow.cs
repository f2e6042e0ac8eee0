using System.Diagnostics;
using System.Net.ServerSentEvents;
using Perennial.Sse;

namespace Perennial.Benchmarks;

/// <summary>The parser alone, in memory: 64 KiB blocks of 250-byte events against a scan for newlines and the platform's parser.</summary>
internal static class ParserRow
{
    private const int Blocks = 8_000;

    public static void Print(int runs, Budgets budgets)
    {
        var (block, events) = Workload.Named("sse-250-blocks").Block();
        (string Name, Action Run)[] contenders =
        [
            ("newline scan", () => Scan(block)),
            ("SseParser, bytes", () => Platform(block)),
            ("Perennial", () => Ours(block)),
        ];
        var results = contenders.ToDictionary(contender => contender.Name, _ => new List<double>(), StringComparer.Ordinal);
        for (var run = 0; run <= runs; run++)
        {
            foreach (var (name, action) in contenders)
            {
                var start = Stopwatch.GetTimestamp();
                action();
                var nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds / ((double)Blocks * events);
                if (run > 0)
                {
                    results[name].Add(nanoseconds);
                }
            }
        }

        var medians = results.ToDictionary(result => result.Key, result => Medians.Of(result.Value), StringComparer.Ordinal);
        var scan = medians["newline scan"];
        Console.WriteLine("| parser alone, 250 B | ns per event | x scan |");
        Console.WriteLine("|---|---:|---:|");
        foreach (var (name, _) in contenders)
        {
            Table.Print($"| {name} | {medians[name]:F1} | {medians[name] / scan:F2} |");
        }

        budgets.Note(Budgets.Parser, scan, medians["SseParser, bytes"], medians["Perennial"], 2 * scan);
    }

    private static void Scan(byte[] block)
    {
        for (var i = 0; i < Blocks; i++)
        {
            var rest = block.AsSpan();
            while (rest.IndexOf((byte)'\n') is >= 0 and var end)
            {
                rest = rest[(end + 1)..];
            }
        }
    }

    private static void Ours(byte[] block)
    {
        var parser = new SseEventParser(4 * 1024 * 1024, lastEventId: null);
        var batch = new MessageBatch();
        for (var i = 0; i < Blocks; i++)
        {
            parser.Parse(block, batch);
            batch.Clear();
        }
    }

    private static void Platform(byte[] block)
    {
        var stream = new RepeatingStream(block, Blocks);
        foreach (var item in SseParser.Create(stream, static (_, data) => data.Length).Enumerate())
        {
            _ = item.Data;
        }
    }

    private sealed class RepeatingStream(byte[] block, int times) : Stream
    {
        private int _offset;
        private int _left = times;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (_left == 0)
            {
                return 0;
            }

            var count = Math.Min(buffer.Length, block.Length - _offset);
            block.AsSpan(_offset, count).CopyTo(buffer);
            _offset = (_offset + count) % block.Length;
            _left -= _offset == 0 ? 1 : 0;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
