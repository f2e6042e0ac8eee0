using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.Sqlite.Tests.Support;

/// <summary>
/// A file of one test, in a directory of its own, and the stores that use it one after the other. Whatever runs is crashed at the end.
/// </summary>
internal sealed class StoreFile : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("perennial-sqlite-").FullName;
    private readonly List<SqliteRunStore> _stores = [];

    public string Path => System.IO.Path.Combine(_directory, "runs.db");

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public async Task<SqliteRunStore> StartAsync(
        PerennialServerOptions? server = null, Action<SqliteStoreOptions>? configure = null, TimeProvider? time = null)
    {
        var store = Create(Path, server, configure, time);
        _stores.Add(store);
        await store.StartingAsync(TestEnds);
        return store;
    }

    public static SqliteRunStore Create(
        string path, PerennialServerOptions? server = null, Action<SqliteStoreOptions>? configure = null, TimeProvider? time = null)
    {
        var options = new SqliteStoreOptions();
        configure?.Invoke(options);
        options.Validate();
        return new SqliteRunStore(
            path, Options.Create(options), Options.Create(server ?? new PerennialServerOptions()), time ?? TimeProvider.System,
            NullLogger<SqliteRunStore>.Instance);
    }

    public static async Task<RunLog> CreateRunAsync(RunStore store, TimeSpan? retention = null, StartKey? start = null) =>
        await store.CreateAsync(new NewRun
        {
            Id = Guid.NewGuid().ToString("N"),
            Epoch = Guid.NewGuid().ToString("N")[..8],
            TakesMessages = true,
            Retention = retention,
            Start = start,
        }, TestEnds);

    public static async Task<RunLog> FindAsync(RunStore store, string id) => (await store.FindAsync(id, TestEnds)).ShouldNotBeNull();

    /// <summary>Executes SQL as another program would.</summary>
    public object? Execute(string sql)
    {
        using var other = new Session(Path);
        return other.Run(sql);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }
}
