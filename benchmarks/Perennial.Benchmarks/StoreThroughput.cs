using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Perennial.AspNetCore;

namespace Perennial.Benchmarks;

/// <summary>
/// How many tokens of 20 bytes are recorded per second: by runs of the store, and by an insert for each token as one would write it. Both have the
/// same number of writes under way, each of which is on the disk when it is done, and take turns.
/// </summary>
internal static class StoreThroughput
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(2);

    /// <param name="connectionString">The database.</param>
    /// <param name="runs">How many runs are written at once.</param>
    /// <param name="underWay">How many tokens of each run are under way: 1 where a producer waits for each before it writes the next.</param>
    /// <param name="turns">How often each is measured.</param>
    /// <returns>Tokens per second, medians of the turns.</returns>
    public static async Task<(double Grouped, double Single)> MeasureAsync(string connectionString, int runs, int underWay, int turns)
    {
        using var node = await SharedStore.StartNodeAsync(connectionString);
        var end = new TaskCompletionSource();
        var writers = await StartRunsAsync(node, runs, end.Task);
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 100, MaxAutoPrepare = 10, AutoPrepareMinUsages = 1 });
        await CreateTableAsync(source);
        var (grouped, single) = (new List<double>(), new List<double>());
        long number = 0;
        for (var turn = 0; turn < turns; turn++)
        {
            grouped.Add(await RateAsync(runs, underWay, run => writers[run].WriteAsync(SharedStore.Token(0)).AsTask()));
            single.Add(await RateAsync(runs, underWay, run => InsertAsync(source, run, Interlocked.Increment(ref number))));
        }

        end.SetResult();
        await node.StopAsync();
        return (Medians.Of(grouped), Medians.Of(single));
    }

    private static async Task<RunWriter[]> StartRunsAsync(IHost node, int runs, Task end)
    {
        var starts = node.Services.GetRequiredService<StreamRuns>();
        return await Task.WhenAll(Enumerable.Range(0, runs).Select(async _ =>
        {
            var started = new TaskCompletionSource<RunWriter>(TaskCreationOptions.RunContinuationsAsynchronously);
            await starts.StartAsync(async (writer, stop) =>
            {
                started.SetResult(writer);
                await end.WaitAsync(stop);
            });
            return await started.Task;
        }));
    }

    private static async Task CreateTableAsync(NpgsqlDataSource source)
    {
        await using var create = source.CreateCommand("""
            DROP TABLE IF EXISTS tokens;
            CREATE TABLE tokens (run bigint, sequence bigint, kind smallint, type text, data bytea, PRIMARY KEY (run, sequence));
            """);
        await create.ExecuteNonQueryAsync();
    }

    /// <summary>A transaction of its own on a pooled connection, where it is prepared. It keeps no tail, so it does less than the store.</summary>
    private static async Task InsertAsync(NpgsqlDataSource source, long run, long number)
    {
        await using var insert = source.CreateCommand("INSERT INTO tokens (run, sequence, kind, type, data) VALUES ($1, $2, 0, NULL, $3)");
        insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = run });
        insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = number });
        insert.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = SharedStore.Token(number) });
        await insert.ExecuteNonQueryAsync();
    }

    private static async Task<double> RateAsync(int runs, int underWay, Func<int, Task> write)
    {
        var written = 0L;
        using var end = new CancellationTokenSource();
        var writing = Task.WhenAll(Enumerable.Range(0, runs * underWay).Select(n => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                await write(n % runs);
                Interlocked.Increment(ref written);
            }
        })));
        await Task.WhenAny(writing, Task.Delay(WarmUp, TimeProvider.System));
        var (since, before) = (Stopwatch.GetTimestamp(), Interlocked.Read(ref written));
        await Task.WhenAny(writing, Task.Delay(Span, TimeProvider.System));
        var rate = (Interlocked.Read(ref written) - before) / Stopwatch.GetElapsedTime(since).TotalSeconds;
        await end.CancelAsync();
        await writing;
        return rate;
    }
}
