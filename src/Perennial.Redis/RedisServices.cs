using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.Redis;

/// <summary>Registers Redis as the store of runs.</summary>
public static class RedisServices
{
    /// <summary>Keeps runs in Redis instead of in memory, so that every node with the same Redis serves every run.</summary>
    /// <param name="builder">The server's builder, from <c>AddPerennialServer</c>.</param>
    /// <param name="configuration">
    /// A configuration of StackExchange.Redis, such as <c>localhost:6379,password=secret</c>, for Redis 6.2 or newer, or a server that is
    /// compatible with it, such as Valkey. The host does not start if it cannot be reached.
    /// </param>
    /// <param name="configure">Changes the options. They are validated when the host starts.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">The configuration is empty or cannot be read.</exception>
    /// <remarks>
    /// What survives a crash of Redis depends on its own settings (<c>appendonly</c>, <c>appendfsync</c>, replicas). If it comes back with
    /// fewer events of a run than it has confirmed, the run ends as failed with the code <c>events_lost</c>, and readers are told of a gap.
    /// </remarks>
    public static PerennialServerBuilder AddRedisStore(
        this PerennialServerBuilder builder, string configuration, Action<RedisStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(configuration);
        Database.Parse(configuration);
        var services = builder.Services;
        var options = services.AddOptions<RedisStoreOptions>().PostConfigure(o => o.Validate()).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => ActivatorUtilities.CreateInstance<RedisRunStore>(provider, configuration));
        services.Replace(ServiceDescriptor.Singleton<RunStore>(provider => provider.GetRequiredService<RedisRunStore>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, RedisRunStore>(
            provider => provider.GetRequiredService<RedisRunStore>()));
        return builder;
    }
}
