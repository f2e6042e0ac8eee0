using System.Diagnostics;
using Npgsql;
using Perennial.AspNetCore.Stores;

namespace Perennial.Benchmarks;

/// <summary>How many tokens of 20 bytes are recorded per second by producers each of whom waits for a token before it writes the next.</summary>
internal static class StoreThroughput
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(10);

    /// <summary>Through the store.</summary>
    public static async Task<double> GroupedAsync(string connectionString, int producers)
    {
        using var node = await SharedStore.StartNodeAsync(connectionString);
        var runs = new List<IRunLog>();
        for (var n = 0; n < producers; n++)
            runs.Add(await SharedStore.CreateRunAsync(SharedStore.StoreOf(node)));
        var rate = await MeasureAsync(runs, async (run, number) =>
        {
            var item = new RunEvent(null, SharedStore.Token(number), RunDataKind.Text);
            if ((await run.AppendAsync(item, CancellationToken.None)).Outcome != AppendOutcome.Appended)
                throw new InvalidOperationException("A token was not recorded.");
        });
        await node.StopAsync();
        return rate;
    }

    /// <summary>What one would write: an insert for each token, each a transaction of its own, on pooled connections.</summary>
    public static async Task<double> SingleAsync(string connectionString, int producers)
    {
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 100, MaxAutoPrepare = 10, AutoPrepareMinUsages = 1 });
        await ExecuteAsync("DROP TABLE IF EXISTS tokens");
        await ExecuteAsync("CREATE TABLE tokens (run bigint, sequence bigint, kind smallint, type text, data bytea, PRIMARY KEY (run, sequence))");
        return await MeasureAsync(Enumerable.Range(0, producers), async (run, number) =>
        {
            await using var insert = source.CreateCommand("INSERT INTO tokens (run, sequence, kind, type, data) VALUES ($1, $2, 0, NULL, $3)");
            insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = run });
            insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = number });
            insert.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = SharedStore.Token(number) });
            await insert.ExecuteNonQueryAsync();
        });

        async Task ExecuteAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }
    }

    private static async Task<double> MeasureAsync<T>(IEnumerable<T> producers, Func<T, long, Task> write)
    {
        var written = 0L;
        using var end = new CancellationTokenSource();
        var writing = producers.Select(producer => Task.Run(async () =>
        {
            for (var number = 1; !end.IsCancellationRequested; number++)
            {
                await write(producer, number);
                Interlocked.Increment(ref written);
            }
        })).ToArray();
        await Task.WhenAny(Task.WhenAll(writing), Task.Delay(WarmUp, TimeProvider.System));
        var (since, before) = (Stopwatch.GetTimestamp(), Interlocked.Read(ref written));
        await Task.WhenAny(Task.WhenAll(writing), Task.Delay(Span, TimeProvider.System));
        var rate = (Interlocked.Read(ref written) - before) / Stopwatch.GetElapsedTime(since).TotalSeconds;
        await end.CancelAsync();
        await Task.WhenAll(writing);
        return rate;
    }
}
