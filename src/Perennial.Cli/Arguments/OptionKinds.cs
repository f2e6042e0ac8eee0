using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Perennial.Cli.Arguments;

/// <summary>Creates the kinds of options. The error of each names the accepted values.</summary>
internal static class OptionKinds
{
    /// <summary>
    /// The name of the option that shows more on stderr. It is looked for before parsing, so that an error at any stage can be shown in
    /// full.
    /// </summary>
    public const string Verbose = "--verbose";

    /// <summary>An option without a value.</summary>
    public static Option<bool> Flag(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>Hides an option from the help.</summary>
    public static Option<T> Hidden<T>(Option<T> option)
    {
        option.Hidden = true;
        return option;
    }

    /// <summary>An option with free text.</summary>
    public static Option<string?> Text(string name, string valueName, string description) =>
        new(name) { Description = description, HelpName = valueName };

    /// <summary>An option with free text that may be given any number of times.</summary>
    public static Option<string[]> Texts(string name, string valueName, string description) =>
        new(name) { Description = description, HelpName = valueName, Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => [] };

    /// <summary>An option with a whole number in a range.</summary>
    public static Option<int?> Number(string name, string valueName, int least, int most, string description) => new(name)
    {
        Description = description,
        HelpName = valueName,
        CustomParser = result =>
        {
            var value = result.Tokens[0].Value;
            if (int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            {
                return number;
            }

            result.AddError(
                string.Create(CultureInfo.InvariantCulture, $"{name} must be a whole number from {least} to {most}, not '{value}'"));
            return null;
        },
    };

    /// <summary>
    /// An option that takes one of a few names; without the option, the value is the default of <typeparamref name="T"/>.
    /// </summary>
    public static Option<T> Choice<T>(string name, string description, params (string Word, T Meaning)[] choices)
        where T : struct, Enum => new(name)
    {
        Description = description,
        HelpName = string.Join('|', choices.Select(choice => choice.Word)),
        CustomParser = result => MeaningOf(result, name, choices),
    };

    private static T MeaningOf<T>(ArgumentResult result, string name, (string Word, T Meaning)[] choices)
    {
        var value = result.Tokens[0].Value;
        foreach (var (word, meaning) in choices)
        {
            if (string.Equals(word, value, StringComparison.Ordinal))
            {
                return meaning;
            }
        }

        var words = string.Join(", ", choices[..^1].Select(choice => choice.Word));
        result.AddError($"{name} must be {words} or {choices[^1].Word}, not '{value}'");
        return default!;
    }
}
