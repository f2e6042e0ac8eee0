using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Perennial.Management;

namespace Perennial.Hosting;

/// <summary>Registers a host's transports.</summary>
public static class PerennialServices
{
    private const string TransportsSection = "Transports";
    private const string ManagerSection = "Manager";
    private const string KindSetting = "Kind";
    private const string HttpClientSetting = "HttpClient";

    /// <summary>
    /// Adds a <see cref="TransportManager"/> and <see cref="NamedTransports"/>. Options are checked when the host starts, which fails
    /// with every wrong value and what is accepted; transports are closed when it stops. Logs and the clock are the host's, unless
    /// <see cref="TransportServices"/> are registered. May be called more than once.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Changes the options.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddPerennial(this IServiceCollection services, Action<PerennialOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<PerennialOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PerennialOptions>, PerennialOptionsCheck>());
        services.TryAddSingleton(static provider => new TransportServices
        {
            Time = provider.GetService<TimeProvider>() ?? TimeProvider.System,
            LoggerFactory = provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance,
        });
        services.TryAddSingleton(static provider =>
            new TransportManager(provider.GetRequiredService<IOptions<PerennialOptions>>().Value.Manager, provider.GetRequiredService<TransportServices>()));
        services.TryAddSingleton(static provider =>
            new NamedTransports(provider.GetRequiredService<TransportManager>(), provider.GetRequiredService<IOptions<PerennialOptions>>(), provider));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, TransportClosing>());
        return services;
    }

    /// <summary>
    /// As <see cref="AddPerennial(IServiceCollection, Action{PerennialOptions}?)"/>, with options from a section of the configuration:
    /// <c>Manager</c> holds settings of <see cref="TransportManagerOptions"/>, and <c>Transports</c> one section a name, with
    /// <c>Kind</c>, settings of that kind's options, and <c>HttpClient</c> where <see cref="NamedTransport.HttpClient"/> is wanted. A setting that does not exist or cannot be read is wrong like one out of range.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="section">The section.</param>
    /// <param name="configure">Changes the options before the section is read: the place for kinds of one's own.</param>
    /// <returns>The same services.</returns>
    [RequiresUnreferencedCode("Settings are matched to properties by name. Where code is trimmed, set the options by code.")]
    [RequiresDynamicCode("Settings are matched to properties by name. Where code is compiled ahead of time, set the options by code.")]
    public static IServiceCollection AddPerennial(this IServiceCollection services, IConfiguration section, Action<PerennialOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(section);
        services.AddPerennial(configure);
        services.AddOptions<PerennialOptions>().Configure(options => Read(section, options));
        return services;
    }

    /// <summary>
    /// Completes the options of a transport that the configuration names with what only code can say, such as
    /// <see cref="Http.HttpTransportOptions.ConfigureRequest"/>.
    /// </summary>
    /// <typeparam name="TOptions">The options of its kind.</typeparam>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The transport's name.</param>
    /// <param name="complete">Makes the options to use of those that were read, and of the application's services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection CompleteTransport<TOptions>(
        this IServiceCollection services, string name, Func<TOptions, IServiceProvider, TOptions> complete)
        where TOptions : TransportOptions
    {
        ArgumentNullException.ThrowIfNull(complete);
        services.AddOptions<PerennialOptions>().PostConfigure<IServiceProvider>((options, provider) =>
        {
            if (options.Transports.TryGetValue(name, out var read) && read.Options is TOptions known)
            {
                options.Transports[name] = read with { Options = complete(known, provider) };
            }
            else
            {
                options.Problems.Add($"{TransportsSection}:{name}: it is to be completed, but there is no such transport with {typeof(TOptions).Name}.");
            }
        });
        return services;
    }

    /// <summary>Adds a check of all transports that the manager holds.</summary>
    /// <param name="builder">The application's health checks.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">What to report when at least half of the transports are unhealthy. Default: unhealthy.</param>
    /// <param name="tags">Tags to choose checks by.</param>
    /// <returns>The same health checks.</returns>
    public static IHealthChecksBuilder AddPerennial(
        this IHealthChecksBuilder builder,
        string name = "perennial",
        Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddPerennial();
        return builder.Add(new HealthCheckRegistration(
            name,
            static provider => new PerennialHealthCheck(provider.GetRequiredService<TransportManager>(), provider.GetRequiredService<NamedTransports>()),
            failureStatus,
            tags));
    }

    [RequiresUnreferencedCode("Settings are matched to properties by name.")]
    [RequiresDynamicCode("Settings are matched to properties by name.")]
    private static void Read(IConfiguration section, PerennialOptions options)
    {
        var reader = new SettingsReader(options.Problems);
        foreach (var part in section.GetChildren())
        {
            if (string.Equals(part.Key, ManagerSection, StringComparison.OrdinalIgnoreCase))
            {
                options.Manager = reader.Read(options.Manager with { }, part, ManagerSection);
            }
            else if (!string.Equals(part.Key, TransportsSection, StringComparison.OrdinalIgnoreCase))
            {
                options.Problems.Add($"{part.Key}: there is no such setting; there are {ManagerSection}, {TransportsSection}.");
            }
        }

        foreach (var transport in section.GetSection(TransportsSection).GetChildren())
        {
            var path = $"{TransportsSection}:{transport.Key}";
            if (options.Manager.Kinds.OptionsOf(transport[KindSetting] ?? "") is { } type)
            {
                var settings = reader.Read((TransportOptions)Activator.CreateInstance(type)!, transport, path, KindSetting, HttpClientSetting);
                options.Transports[transport.Key] = new NamedTransport(transport[KindSetting]!, settings) { HttpClient = transport[HttpClientSetting] };
            }
            else
            {
                options.Problems.Add($"{path}:{KindSetting} must be one of {string.Join(", ", options.Manager.Kinds.Names)}.");
            }
        }
    }
}
