using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.PostgreSql;

/// <summary>Registers PostgreSQL as the store of runs.</summary>
public static class PostgreSqlServices
{
    /// <summary>Keeps runs in PostgreSQL instead of in memory, so that every node with the same database serves every run.</summary>
    /// <param name="builder">The server's builder, from <c>AddPerennialServer</c>.</param>
    /// <param name="connectionString">
    /// A connection string of Npgsql to PostgreSQL 12 or newer, directly or through a pooler in session mode (wake-ups need <c>LISTEN</c>).
    /// A node always holds two connections, and takes more from the pool for requests. The host does not start if the database cannot be
    /// reached.
    /// </param>
    /// <param name="configure">Changes the options. They are validated when the host starts.</param>
    /// <returns>The same builder.</returns>
    public static PerennialServerBuilder AddPostgreSqlStore(
        this PerennialServerBuilder builder, string connectionString, Action<PostgreSqlStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionString);
        var services = builder.Services;
        var options = services.AddOptions<PostgreSqlStoreOptions>().PostConfigure(o => o.Validate()).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => ActivatorUtilities.CreateInstance<PostgreSqlRunStore>(provider, connectionString));
        services.Replace(ServiceDescriptor.Singleton<RunStore>(provider => provider.GetRequiredService<PostgreSqlRunStore>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, PostgreSqlRunStore>(
            provider => provider.GetRequiredService<PostgreSqlRunStore>()));
        return builder;
    }
}
