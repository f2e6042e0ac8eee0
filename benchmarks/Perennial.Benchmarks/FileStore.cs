using Microsoft.Data.Sqlite;
using Perennial.Sqlite;

namespace Perennial.Benchmarks;

/// <summary>Runs in memory and in a SQLite file: tokens written per second.</summary>
internal static class FileStore
{
    public static async Task PrintAsync(int turns)
    {
        Console.WriteLine(
            "| runs at once | tokens under way of each | in memory | SQLite | SQLite, every event flushed | one insert each |\n|---:|---:|---:|---:|---:|---:|");
        foreach (var (runs, underWay) in SharedStore.Writers)
        {
            var directory = Directory.CreateTempSubdirectory("perennial-bench-").FullName;
            var rates = await MeasureAsync(directory, runs, underWay, turns);
            Table.Print($"| {runs} | {underWay} | {rates[0]:N0} | {rates[1]:N0} | {rates[2]:N0} | {rates[3]:N0} |");
            Directory.Delete(directory, recursive: true);
        }

        Console.WriteLine();
    }

    private static async Task<double[]> MeasureAsync(string directory, int runs, int underWay, int turns)
    {
        using var memory = await SharedStore.StartNodeAsync(static _ => { });
        using var file = await SharedStore.StartNodeAsync(server => server.AddSqliteStore(Path.Combine(directory, "runs.db")));
        using var flushed = await SharedStore.StartNodeAsync(
            server => server.AddSqliteStore(Path.Combine(directory, "flushed.db"), options => options.FlushEveryEvent = true));
        using var inserts = new Inserts(Path.Combine(directory, "inserts.db"));
        return await StoreThroughput.MeasureAsync([memory, file, flushed], inserts.InsertAsync, runs, underWay, turns);
    }

    /// <summary>A prepared insert for each token, in a transaction of its own that is not flushed, as one would write it.</summary>
    private sealed class Inserts : IDisposable
    {
        private readonly SemaphoreSlim _turn = new(1);
        private readonly SqliteConnection _connection;
        private readonly SqliteCommand _insert;
        private long _number;

        public Inserts(string path)
        {
            _connection = new SqliteConnection($"Data Source={path};Pooling=False");
            _connection.Open();
            using var create = _connection.CreateCommand();
            create.CommandText = """
                PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
                CREATE TABLE tokens (run INTEGER, sequence INTEGER, kind INTEGER, type TEXT, data BLOB, PRIMARY KEY (run, sequence)) WITHOUT ROWID;
                """;
            create.ExecuteNonQuery();
            _insert = _connection.CreateCommand();
            _insert.CommandText = "INSERT INTO tokens VALUES ($1, $2, 0, NULL, $3)";
            foreach (var name in new[] { "$1", "$2", "$3" })
            {
                _insert.Parameters.Add(new SqliteParameter { ParameterName = name });
            }
        }

        public async Task InsertAsync(int run)
        {
            await _turn.WaitAsync();
            try
            {
                _insert.Parameters[0].Value = (long)run;
                _insert.Parameters[1].Value = ++_number;
                _insert.Parameters[2].Value = SharedStore.Token(_number);
                _insert.ExecuteNonQuery();
            }
            finally
            {
                _turn.Release();
            }
        }

        public void Dispose()
        {
            _insert.Dispose();
            _connection.Dispose();
            _turn.Dispose();
        }
    }
}
