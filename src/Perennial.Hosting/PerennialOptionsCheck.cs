using Microsoft.Extensions.Options;

namespace Perennial.Hosting;

/// <summary>Finds everything that is wrong with the options, and says where.</summary>
internal sealed class PerennialOptionsCheck : IValidateOptions<PerennialOptions>
{
    public ValidateOptionsResult Validate(string? name, PerennialOptions options)
    {
        var failures = new List<string>(options.Problems);
        failures.AddRange(options.Manager.FindErrors().Select(static error => $"Manager: {Words(error)}"));
        foreach (var (transport, (kind, settings)) in options.Transports)
        {
            if (options.Manager.Kinds.OptionsOf(kind) is not { } type)
            {
                failures.Add($"Transports:{transport}: Kind must be one of {string.Join(", ", options.Manager.Kinds.Names)}.");
            }
            else if (!type.IsInstanceOfType(settings))
            {
                failures.Add($"Transports:{transport}: a transport of kind {kind} takes {type.Name}, not {settings.GetType().Name}.");
            }

            failures.AddRange(settings.FindErrors().Select(error => $"Transports:{transport}: {Words(error)}"));
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    /// <summary>The sentence without what the platform appends to it: the name is in it, and the value is in the configuration.</summary>
    private static string Words(ArgumentException error)
    {
        var end = error.Message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return end < 0 ? error.Message : error.Message[..end];
    }
}
