using System.Runtime.InteropServices;
using Perennial.AspNetCore.Stores;

namespace Perennial.GroupCommit;

/// <summary>
/// The records that this node has read or written last, each as one object for all readers. Bounded by bytes. Safe from any thread.
/// </summary>
/// <remarks>
/// Records are kept in pages that never overlap. Readers that joined at different places use the pages of the first reader.
/// </remarks>
internal sealed class RecordCache(long maxBytes)
{
    private const int PageBytes = 128 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, List<Page>> _pages = [];      // by run, in order
    private readonly LinkedList<Page> _byUse = new();
    private long _bytes;

    /// <summary>Returns the records after a sequence, up to the end of a page. Empty if the next record is not cached.</summary>
    public ReadOnlyMemory<RunRecord> Read(long run, long after, long last, int maxReadBytes)
    {
        lock (_gate)
        {
            if (FindLocked(run, after + 1) is not { } page)
            {
                return default;
            }

            _byUse.Remove(page.Place);
            _byUse.AddLast(page.Place);
            var start = (int)(after + 1 - page.First);
            var most = (int)Math.Min(page.Count, last - page.First + 1);
            var end = start;
            for (var bytes = 0L; end < most && bytes < maxReadBytes; end++)
            {
                bytes += page.Records[end].Content.Size;
            }

            return page.Records.AsMemory(start..Math.Max(start, end));
        }
    }

    /// <summary>Finds the next missing range after a sequence. It begins after the returned sequence and ends before another.</summary>
    public (long After, long Before) GapAfter(long run, long after)
    {
        lock (_gate)
        {
            while (FindLocked(run, after + 1) is { } page)
            {
                after = page.Last;
            }

            var pages = _pages.GetValueOrDefault(run);
            var next = pages is null ? -1 : pages.FindIndex(page => page.First > after);
            return (after, next < 0 ? long.MaxValue : pages![next].First);
        }
    }

    /// <summary>Adds records of a run, in order. A record that is cached already is kept, because readers may use it.</summary>
    public void Add(long run, ReadOnlySpan<RunRecord> records)
    {
        lock (_gate)
        {
            foreach (var record in records)
            {
                AddLocked(run, record);
            }

            while (_bytes > maxBytes && _byUse.Count > 1)
            {
                RemoveLocked(_byUse.First!.Value);
            }
        }
    }

    private void AddLocked(long run, RunRecord record)
    {
        var pages = CollectionsMarshal.GetValueRefOrAddDefault(_pages, run, out _) ??= [];
        var index = IndexOf(pages, record.Sequence);
        var page = index < 0 ? null : pages[index];
        if (page is not null && record.Sequence <= page.Last)
        {
            return;
        }

        if (page is null || page.Last + 1 != record.Sequence || page.Bytes >= PageBytes)
        {
            page = new Page(run, record.Sequence);
            pages.Insert(index + 1, page);
            _byUse.AddLast(page.Place);
        }

        page.Add(record);
        _bytes += record.Content.Size;
    }

    private void RemoveLocked(Page page)
    {
        var pages = _pages[page.Run];
        pages.Remove(page);
        if (pages.Count == 0)
        {
            _pages.Remove(page.Run);
        }

        _byUse.Remove(page.Place);
        _bytes -= page.Bytes;
    }

    private Page? FindLocked(long run, long sequence)
    {
        if (!_pages.TryGetValue(run, out var pages))
        {
            return null;
        }

        var index = IndexOf(pages, sequence);
        return index >= 0 && sequence <= pages[index].Last ? pages[index] : null;
    }

    /// <summary>Finds the last page that begins at or before a sequence; -1 for none.</summary>
    private static int IndexOf(List<Page> pages, long sequence)
    {
        var (low, high) = (0, pages.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (pages[middle].First <= sequence)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }

    private sealed class Page
    {
        public Page(long run, long first)
        {
            Run = run;
            First = first;
            Place = new LinkedListNode<Page>(this);
        }

        public long Run { get; }

        public long First { get; }

        public LinkedListNode<Page> Place { get; }

        public RunRecord[] Records { get; private set; } = new RunRecord[8];    // the first Count never change, so readers share the array

        public int Count { get; private set; }

        public long Bytes { get; private set; }

        public long Last => First + Count - 1;

        public void Add(RunRecord record)
        {
            if (Count == Records.Length)
            {
                var larger = new RunRecord[Count * 2];
                Records.CopyTo(larger, 0);
                Records = larger;
            }

            Records[Count++] = record;
            Bytes += record.Content.Size;
        }
    }
}
