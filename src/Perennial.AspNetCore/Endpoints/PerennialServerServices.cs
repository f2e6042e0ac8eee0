using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Http;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Starts;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.WebSockets;
using Perennial.Hosting;

namespace Perennial.AspNetCore;

/// <summary>Registers the server.</summary>
public static class PerennialServerServices
{
    /// <summary>
    /// Adds <see cref="StreamRuns"/> and the services behind <c>MapPerennial</c>. Runs are kept in memory unless another
    /// <see cref="RunStore"/> is registered. May be called more than once. Does not read the configuration; the overload with a section
    /// does.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Changes the options. They are validated when the host starts.</param>
    /// <returns>A builder, to configure the server further.</returns>
    public static PerennialServerBuilder AddPerennialServer(
        this IServiceCollection services, Action<PerennialServerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<PerennialServerOptions>().PostConfigure(o => o.Validate()).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<RunStore, MemoryRunStore>();
        services.TryAddSingleton(static services => new StreamRuns(
            services.GetRequiredService<RunStore>(), services.GetRequiredService<IOptions<PerennialServerOptions>>(),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<IHostApplicationLifetime>(),
            services.GetRequiredService<ILogger<StreamRuns>>())
        {
            Resumptions = services.GetRequiredService<IOptions<Resumptions>>().Value,
        });
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ResumptionService>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, AccessDecision>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, RefusedStart>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IExceptionHandler, RefusedStart>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IDeveloperPageExceptionFilter, RefusedStart>());
        services.TryAddSingleton(new RunAnswer(ReturnedRun.AnswerAsync, StartOnceEndpoints.Apply));
        services.TryAddSingleton<KeyedStarts>();
        services.TryAddSingleton<ReaderPlaces>();
        services.TryAddSingleton<StreamResponse>();
        services.TryAddSingleton<LongPollResponse>();
        services.TryAddSingleton<RunResponse>();
        services.TryAddSingleton<SocketEndpoint>();
        services.TryAddSingleton<MessageRate>();
        services.TryAddSingleton<MessageEndpoint>();
        return new PerennialServerBuilder(services);
    }

    /// <summary>
    /// Adds the server like <see cref="AddPerennialServer(IServiceCollection, Action{PerennialServerOptions}?)"/>, with options from a
    /// section of the configuration, such as <c>builder.Configuration.GetSection("PerennialServer")</c>. The host does not start with a
    /// setting that does not exist or cannot be read; the message names every such setting and the accepted values.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="section">The section, with settings of <see cref="PerennialServerOptions"/>.</param>
    /// <param name="configure">Changes the options after the section is read.</param>
    /// <returns>A builder, to configure the server further.</returns>
    [RequiresUnreferencedCode("Settings are matched to properties by name.")]
    [RequiresDynamicCode("Settings are matched to properties by name.")]
    public static PerennialServerBuilder AddPerennialServer(
        this IServiceCollection services, IConfiguration section, Action<PerennialServerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        services.AddOptions<PerennialServerOptions>().Configure(options => Read(section, options));
        return services.AddPerennialServer(configure);
    }

    /// <summary>Adds a health check of the store of runs (<see cref="RunStore.CheckHealthAsync"/>).</summary>
    /// <param name="builder">The application's health checks.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">The status to report while the store cannot be used. Default: unhealthy.</param>
    /// <param name="tags">Tags to choose checks by.</param>
    /// <returns>The same health checks.</returns>
    public static IHealthChecksBuilder AddPerennialStore(
        this IHealthChecksBuilder builder,
        string name = "perennial_store",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddCheck<RunStoreHealthCheck>(name, failureStatus, tags ?? []);
    }

    [RequiresUnreferencedCode("Settings are matched to properties by name.")]
    [RequiresDynamicCode("Settings are matched to properties by name.")]
    private static void Read(IConfiguration section, PerennialServerOptions options)
    {
        List<string> problems = [];
        new SettingsReader(problems).Read(options, section, (section as IConfigurationSection)?.Path ?? "");
        if (problems.Count > 0)
        {
            throw new OptionsValidationException(Options.DefaultName, typeof(PerennialServerOptions), problems);
        }
    }
}
