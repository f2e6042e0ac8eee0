using System.Globalization;
using System.Text;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.SeveralNodes.Tests.Support;

/// <summary>What producers and readers of these tests do.</summary>
internal static class RunReading
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public static RunEvent Text(string text) => new RunEvent { Data = Encoding.UTF8.GetBytes(text), Kind = RunDataKind.Text };

    public static RunEvent Number(long number) => Text(number.ToString(CultureInfo.InvariantCulture));

    public static string TextOf(RunRecord record) => Encoding.UTF8.GetString(record.Content.Data.Span);

    public static async Task AppendAsync(this RunLog run, long from, long to)
    {
        for (var n = from; n <= to; n++)
        {
            (await run.AppendAsync(Number(n), TestEnds)).ShouldBe(new AppendResult { Outcome = AppendOutcome.Appended, Sequence = n });
        }
    }

    /// <summary>Reads as a response does: subscribe, look, wait. Returns when there are so many records, or at the end.</summary>
    public static async Task<List<RunRecord>> FollowAsync(this RunLog run, long count = long.MaxValue)
    {
        var news = new RunSignal();
        using var subscription = run.Subscribe(RunNews.Records, news);
        var records = new List<RunRecord>();
        while (records.Count < count)
        {
            var slice = await run.ReadAsync(records.Count, 4096, TestEnds);
            foreach (var record in slice.Records.ToArray())
            {
                record.Sequence.ShouldBe(records.Count + 1);
                records.Add(record);
            }

            if (slice.State.Status != RunStatus.Running && records.Count >= slice.State.Tail)
            {
                break;
            }

            if (slice.Records.IsEmpty)
            {
                await news.WaitAsync();
            }
        }

        return records;
    }

    /// <summary>Reads again after failures, as a client does that comes back.</summary>
    public static async Task<List<RunRecord>> FollowPatientlyAsync(this RunLog run, long count = long.MaxValue)
    {
        while (true)
        {
            try
            {
                return await run.FollowAsync(count);
            }
            catch (RunStoreException)
            {
                await Task.Yield();
            }
        }
    }

    /// <summary>Whether these are the numbers from 1 and then this end.</summary>
    public static void ShouldBeNumbersAnd(this List<RunRecord> records, RunEnd end)
    {
        records[..^1].Select(TextOf).ShouldBe(Enumerable.Range(1, records.Count - 1).Select(n => n.ToString(CultureInfo.InvariantCulture)));
        TextOf(records[^1]).ShouldBe(Encoding.UTF8.GetString(end.ToEvent().Data.Span));
    }

    /// <summary>Asks until the answer is yes: for what gives no signal of its own.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestEnds);
        }
    }
}
