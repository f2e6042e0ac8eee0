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

/// <summary>Extension methods that register a host's transports.</summary>
public static class PerennialServices
{
    private const string TransportsSection = "Transports";
    private const string ManagerSection = "Manager";
    private const string KindSetting = "Kind";
    private const string HttpClientSetting = "HttpClient";

    /// <summary>
    /// Adds a <see cref="TransportManager"/> and <see cref="NamedTransports"/>. The options are validated when the host starts: the start
    /// fails with every invalid value and what is accepted. The transports are closed when the host stops. Logging and the clock are those
    /// of the host, unless <see cref="TransportServices"/> are registered. May be called more than once.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options. <see langword="null"/> keeps the defaults.</param>
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
            new TransportManager(
                provider.GetRequiredService<IOptions<PerennialOptions>>().Value.Manager, provider.GetRequiredService<TransportServices>()));
        services.TryAddSingleton(static provider =>
            new NamedTransports(
                provider.GetRequiredService<TransportManager>(), provider.GetRequiredService<IOptions<PerennialOptions>>(), provider));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, TransportClosing>());
        return services;
    }

    /// <summary>
    /// Adds the same services, with options from a section of the configuration. <c>Manager</c> holds settings of
    /// <see cref="TransportManagerOptions"/>. <c>Transports</c> holds one section per transport, with <c>Kind</c>, the settings of that
    /// kind's options, and optionally <see cref="NamedTransport.HttpClient"/>. A setting that does not exist or cannot be read is reported
    /// like a value out of range.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="section">The section of the configuration.</param>
    /// <param name="configure">
    /// Sets the options before the section is read, for instance to register custom kinds. <see langword="null"/> keeps the defaults.
    /// </param>
    /// <returns>The same services.</returns>
    [RequiresUnreferencedCode("Settings are matched to properties by name. In trimmed applications set the options in code.")]
    [RequiresDynamicCode("Settings are matched to properties by name. In applications compiled ahead of time set the options in code.")]
    public static IServiceCollection AddPerennial(
        this IServiceCollection services, IConfiguration section, Action<PerennialOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(section);
        services.AddPerennial(configure);
        services.AddOptions<PerennialOptions>().Configure(options => Read(section, options));
        return services;
    }

    /// <summary>
    /// Completes the options of a configured transport with values that only code can set, such as
    /// <see cref="Http.HttpTransportOptions.ConfigureRequest"/>.
    /// </summary>
    /// <typeparam name="TOptions">The options type of the transport's kind.</typeparam>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The transport's name.</param>
    /// <param name="complete">Returns the options to use. Receives the configured options and the application's services.</param>
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
                options.Problems.Add(
                    $"{TransportsSection}:{name}: CompleteTransport found no transport of this name with {typeof(TOptions).Name}.");
            }
        });
        return services;
    }

    /// <summary>Adds a health check of all transports that the manager holds.</summary>
    /// <param name="builder">The application's health checks.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">
    /// The status when at least half of the transports are unhealthy. <see langword="null"/> reports unhealthy.
    /// </param>
    /// <param name="tags">Tags with which the application selects health checks.</param>
    /// <returns>The same health checks.</returns>
    public static IHealthChecksBuilder AddPerennialTransports(
        this IHealthChecksBuilder builder,
        string name = "perennial_transports",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddPerennial();
        return builder.Add(new HealthCheckRegistration(
            name,
            static provider =>
                new PerennialHealthCheck(provider.GetRequiredService<TransportManager>(), provider.GetRequiredService<NamedTransports>()),
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
                options.Problems.Add($"{part.Key}: unknown setting; accepted are {ManagerSection} and {TransportsSection}.");
            }
        }

        foreach (var transport in section.GetSection(TransportsSection).GetChildren())
        {
            var path = $"{TransportsSection}:{transport.Key}";
            if (options.Manager.Kinds.OptionsOf(transport[KindSetting] ?? "") is { } type)
            {
                var settings =
                    reader.Read((TransportOptions)Activator.CreateInstance(type)!, transport, path, KindSetting, HttpClientSetting);
                options.Transports[transport.Key] = new NamedTransport
                {
                    Kind = transport[KindSetting]!,
                    Options = settings,
                    HttpClient = transport[HttpClientSetting],
                };
            }
            else
            {
                options.Problems.Add($"{path}:{KindSetting} must be one of {string.Join(", ", options.Manager.Kinds.Names)}.");
            }
        }
    }
}
