using System.CommandLine;

namespace Perennial.Cli.Arguments;

/// <summary>The program was called wrongly. The message is one sentence that names the option and what it takes, and holds no secret.</summary>
internal sealed class UsageException(string message) : Exception(message)
{
    /// <summary>Where the library's name of a member is not the option's.</summary>
    private static readonly Dictionary<string, string> Options = new(StringComparer.Ordinal)
    {
        ["Endpoint"] = "URL",
        ["Headers"] = "--header",
        ["LastEventId"] = "--last-event-id",
        ["SubProtocols"] = "--subprotocol",
    };

    /// <summary>What the library says about an option, in the words of the command line.</summary>
    public static UsageException From(ArgumentException e)
    {
        var sentence = e.Message.Split(" (Parameter '", 2)[0];
        return new UsageException(Options.Aggregate(sentence, (text, name) => text.Replace(name.Key, name.Value, StringComparison.Ordinal)));
    }

    /// <summary>Reports the first thing the parser could not make sense of.</summary>
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
            (_, null) when command.Arguments.FirstOrDefault(argument => parsed.GetResult(argument) is null or { Tokens.Count: 0 }) is { } missing =>
                $"{command.Name} needs a {missing.Name}",
            (_, null) => parsed.Errors[0].Message,
            // Only the name: what stands behind = may be a secret.
            (_, ['-', ..]) => $"{stray.Split('=')[0]} is not an option; perennial {command.Name} --help lists them",
            // Not shown: it may be half of a header.
            _ => $"{command.Name} takes {Arguments(command)}; something else is there that belongs to no option",
        });
    }

    private static string Arguments(Command command) =>
        command.Arguments.Count == 0 ? "nothing but options" : $"one {command.Arguments[0].Name}";
}
