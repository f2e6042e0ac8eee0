using System.CommandLine;

namespace Perennial.Cli.Arguments;

/// <summary>
/// Thrown if the program was called with invalid arguments. The message is one sentence that names the option and the accepted values. It
/// contains no secret.
/// </summary>
internal sealed class UsageException(string message) : Exception(message)
{
    /// <summary>The options whose name differs from the name of the member in the library.</summary>
    private static readonly Dictionary<string, string> Options = new(StringComparer.Ordinal)
    {
        ["AllowedOrigins"] = "--allow-origin",
        ["Endpoint"] = "URL",
        ["Headers"] = "--header",
        ["LastEventId"] = "--last-event-id",
        ["SubProtocols"] = "--subprotocol",
    };

    /// <summary>Converts an error of the library about a member into an error about the option.</summary>
    public static UsageException From(ArgumentException e)
    {
        var sentence = e.Message.Split(" (Parameter '", 2)[0];
        return new UsageException(
            Options.Aggregate(sentence, (text, name) => text.Replace(name.Key, name.Value, StringComparison.Ordinal)));
    }

    /// <summary>Reports the first error of the parser.</summary>
    public static void ThrowIfAny(ParseResult parsed)
    {
        if (parsed.Errors.Count == 0)
        {
            return;
        }

        var command = parsed.CommandResult.Command;
        var stray = parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null;
        var isCommandMissing = command == parsed.RootCommandResult.Command;
        throw new UsageException((isCommandMissing, stray) switch
        {
            (true, null) => "a command is missing; perennial --help lists them",
            (true, _) => $"there is no command '{stray}'; perennial --help lists them",
            (_, null) when command.Arguments.FirstOrDefault(
                argument => parsed.GetResult(argument) is null or { Tokens.Count: 0 }) is { } missing =>
                $"{command.Name} needs a {missing.Name}",
            (_, null) => parsed.Errors[0].Message,
            // Only the name: the value behind = may be a secret.
            (_, ['-', ..]) => $"{stray.Split('=')[0]} is not an option; perennial {command.Name} --help lists them",
            // The argument is not shown: it may be part of a header.
            _ => $"{command.Name} takes {Arguments(command)}; there is another argument that belongs to no option",
        });
    }

    private static string Arguments(Command command) =>
        command.Arguments.Count == 0 ? "only options" : $"one {command.Arguments[0].Name}";
}
