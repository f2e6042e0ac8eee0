using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Perennial.AspNetCore;
using Perennial.PostgreSql;

namespace Perennial.Benchmarks;

/// <summary>
/// How many tokens of 20 bytes are recorded per second: by runs of the store, and by an insert for each token as one would write it. Both
/// have the same number of writes under way, each of which is on the disk when it is done, and take turns.
/// </summary>
internal static class StoreThroughput
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(2);

    /// <summary>Measures runs in PostgreSQL and inserts into it.</summary>
    public static async Task<(double Grouped, double Single)> MeasureAsync(string connectionString, int runs, int underWay, int turns)
    {
        using var node = await SharedStore.StartNodeAsync(server => server.AddPostgreSqlStore(connectionString));
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 100, MaxAutoPrepare = 10, AutoPrepareMinUsages = 1 });
        await CreateTableAsync(source);
        long number = 0;
        var rates = await MeasureAsync([node], run => InsertAsync(source, run, Interlocked.Increment(ref number)), runs, underWay, turns);
        return (rates[0], rates[1]);
    }

    /// <param name="nodes">Nodes with the stores to measure. They are stopped afterwards.</param>
    /// <param name="insert">Inserts a token of a run, with nothing of the store.</param>
    /// <param name="runs">How many runs are written at once.</param>
    /// <param name="underWay">
    /// How many tokens of each run are under way: 1 where a producer waits for each before it writes the next.
    /// </param>
    /// <param name="turns">How often each is measured.</param>
    /// <returns>Tokens per second of each node and then of the inserts, medians of the turns.</returns>
    public static async Task<double[]> MeasureAsync(IReadOnlyList<IHost> nodes, Func<int, Task> insert, int runs, int underWay, int turns)
    {
        var end = new TaskCompletionSource();
        var writers = await Task.WhenAll(nodes.Select(node => StartRunsAsync(node, runs, end.Task)));
        Func<int, Task>[] writes =
            [.. writers.Select<RunWriter[], Func<int, Task>>(own => run => own[run].WriteAsync(SharedStore.Token(0)).AsTask()), insert];
        var rates = writes.Select(static _ => new List<double>()).ToArray();
        for (var turn = 0; turn < turns; turn++)
        {
            foreach (var (n, write) in writes.Index())
            {
                rates[n].Add(await RateAsync(runs, underWay, write));
            }
        }

        end.SetResult();
        foreach (var node in nodes)
        {
            await node.StopAsync();
        }

        return [.. rates.Select(Medians.Of)];
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

    /// <summary>
    /// A transaction of its own on a pooled connection, where it is prepared. It keeps no tail, so it does less than the store.
    /// </summary>
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
