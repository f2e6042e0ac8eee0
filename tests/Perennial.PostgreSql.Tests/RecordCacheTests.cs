using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;
using Perennial.SeveralNodes.Tests.Support;

namespace Perennial.PostgreSql.Tests;

public class RecordCacheTests
{
    private const int Everything = int.MaxValue;

    private readonly RecordCache _cache = new(1 << 20);

    [Fact]
    public void What_is_not_there_is_a_gap_between_what_is()
    {
        Add(run: 1, 4, 6);
        Add(run: 1, 11, 12);

        _cache.GapAfter(1, 0).ShouldBe((0, 4));
        _cache.GapAfter(1, 3).ShouldBe((6, 11));
        _cache.GapAfter(1, 5).ShouldBe((6, 11));
        _cache.GapAfter(1, 10).ShouldBe((12, long.MaxValue));
        _cache.GapAfter(2, 7).ShouldBe((7, long.MaxValue));
    }

    [Fact]
    public void A_gap_is_closed_once_and_what_is_there_stays_the_same_object()
    {
        Add(run: 1, 4, 6);
        Add(run: 1, 11, 12);
        var before = Read(1, 3)[0];

        Add(run: 1, 1, 12);

        Sequences(1, after: 0).ShouldBe(Enumerable.Range(1, 12).Select(n => (long)n));
        Read(1, 3)[0].ShouldBeSameAs(before);
    }

    [Fact]
    public void A_slice_ends_at_the_last_record_asked_for_or_the_bytes_asked_for()
    {
        Add(run: 1, 1, 9);

        _cache.Read(1, 2, last: 5, Everything).Length.ShouldBe(3);
        _cache.Read(1, 2, last: 9, maxReadBytes: 1).Length.ShouldBe(1);
        _cache.Read(1, 9, last: 20, Everything).Length.ShouldBe(0);
        _cache.Read(3, 0, last: 20, Everything).Length.ShouldBe(0);
    }

    [Fact]
    public void Beyond_its_bytes_it_forgets_what_was_not_read_for_longest()
    {
        for (var run = 1; run <= 8; run++)
        {
            _cache.Add(run, [new RunRecord("epoch", 1, RunReading.Text(new string('x', 200_000)))]);
            Read(1, 0).Length.ShouldBe(1);
        }

        Enumerable.Range(1, 8).Where(run => Read(run, 0).Length == 1).ShouldBe([1, 5, 6, 7, 8]);
    }

    private void Add(long run, int first, int last) =>
        _cache.Add(run, [.. Enumerable.Range(first, last - first + 1).Select(n => new RunRecord("epoch", n, RunReading.Number(n)))]);

    private RunRecord[] Read(long run, long after) => _cache.Read(run, after, long.MaxValue - 1, Everything).ToArray();

    private List<long> Sequences(long run, long after)
    {
        var sequences = new List<long>();
        for (var slice = Read(run, after); slice.Length > 0; slice = Read(run, sequences[^1]))
        {
            sequences.AddRange(slice.Select(record => record.Sequence));
        }

        return sequences;
    }
}
