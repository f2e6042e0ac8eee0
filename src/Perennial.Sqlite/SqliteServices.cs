using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.Sqlite;

/// <summary>Registers a SQLite file as the store of runs.</summary>
public static class SqliteServices
{
    /// <summary>
    /// Keeps runs in a SQLite file instead of in memory, so that they survive a restart of the process. One process at a time uses the
    /// file.
    /// </summary>
    /// <param name="builder">The server's builder, from <c>AddPerennialServer</c>.</param>
    /// <param name="path">
    /// The path of the file, such as <c>runs.db</c>, relative to the current directory. The file is created if it is missing, its directory
    /// is not. It must be on a local disk. Beside it SQLite keeps files ending in <c>-wal</c> and <c>-shm</c>, and the store one ending in
    /// <c>-lock</c>; they belong to it.
    /// </param>
    /// <param name="configure">Changes the options. They are validated when the host starts.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">The path is empty, or is a connection string.</exception>
    /// <remarks>
    /// Runs that were open when the process ended, by a crash or otherwise, end as failed with the code <c>producer_lost</c>
    /// (<see cref="RunEnd.ProducerLost"/>) before the next process serves its first request. The host does not start if the file cannot be
    /// used.
    /// </remarks>
    public static PerennialServerBuilder AddSqliteStore(
        this PerennialServerBuilder builder, string path, Action<SqliteStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (path.StartsWith(':') || path.Contains("Source=", StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException("The path must name a file, such as runs.db. It must not be a connection string.", nameof(path));
        }

        var services = builder.Services;
        var options = services.AddOptions<SqliteStoreOptions>().PostConfigure(o => o.Validate()).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => ActivatorUtilities.CreateInstance<SqliteRunStore>(provider, path));
        services.Replace(ServiceDescriptor.Singleton<RunStore>(provider => provider.GetRequiredService<SqliteRunStore>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SqliteRunStore>(
            provider => provider.GetRequiredService<SqliteRunStore>()));
        return builder;
    }
}
