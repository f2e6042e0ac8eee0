using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Perennial.Http;

namespace Perennial.Hosting;

/// <summary>Validates the options. Reports every invalid value and the setting in which it is.</summary>
internal sealed class PerennialOptionsCheck(IServiceProvider provider) : IValidateOptions<PerennialOptions>
{
    public ValidateOptionsResult Validate(string? name, PerennialOptions options)
    {
        var failures = new List<string>(options.Problems);
        failures.AddRange(options.Manager.FindErrors().Select(static error => $"Manager: {Words(error)}"));
        foreach (var (transport, named) in options.Transports)
        {
            var (kind, settings) = (named.Kind, named.Options);
            if (options.Manager.Kinds.OptionsOf(kind) is not { } type)
            {
                failures.Add($"Transports:{transport}: Kind must be one of {string.Join(", ", options.Manager.Kinds.Names)}.");
            }
            else if (!type.IsInstanceOfType(settings))
            {
                failures.Add($"Transports:{transport}: a transport of kind {kind} takes {type.Name}, not {settings.GetType().Name}.");
            }

            failures.AddRange(ErrorsOf(named).Select(error => $"Transports:{transport}: {error}"));
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    /// <summary>The errors in the options of a transport, including conflicts with the HTTP handlers that it would use.</summary>
    [SuppressMessage(
        "Design",
        "CA1031",
        Justification = "Code of the application creates the handlers and may throw anything; the failure names the client.")]
    private IEnumerable<string> ErrorsOf(NamedTransport named)
    {
        if (named.HttpClient is not { } name)
        {
            return named.Options.FindErrors(provider.GetService<TransportServices>()?.HttpHandler).Select(Words);
        }

        if (named.Options is not HttpTransportOptions)
        {
            return named.Options.FindErrors().Select(Words)
                .Append("HttpClient must not be set, because this kind of transport does not use HTTP.");
        }

        try
        {
            return NamedHttpClient.TryFind(provider, name, out var client, out var problem)
                ? named.Options.FindErrors(client.CurrentHandler).Select(Words)
                : named.Options.FindErrors().Select(Words).Append(problem);
        }
        catch (Exception e)
        {
            return named.Options.FindErrors().Select(Words)
                .Append($"the handlers of HttpClient '{name}' could not be created ({e.GetType().Name}).");
        }
    }

    /// <summary>
    /// The message without the suffix that the platform appends: the message already names the option, and the configuration holds the
    /// value.
    /// </summary>
    private static string Words(ArgumentException error)
    {
        var end = error.Message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return end < 0 ? error.Message : error.Message[..end];
    }
}
