using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Runs;

/// <summary>Checks the owner, the key and the metadata of a run, so that every store can keep them.</summary>
internal static class DescriptionRules
{
    private const int MaxNameLength = 256;
    private const int MaxEntries = 16;
    private const int MaxEntryNameLength = 64;
    private const int MaxEntryValueLength = 512;

    /// <summary>Returns a copy of the owner, the key and the metadata.</summary>
    /// <exception cref="ArgumentException">A text is too long, empty where it must not be, or cannot be stored.</exception>
    public static RunDescription Of(RunOptions options)
    {
        RequireName(options.Owner, nameof(RunOptions.Owner));
        RequireName(options.Key, nameof(RunOptions.Key));
        var metadata = options.Metadata;
        if (options is { Owner: null, Key: null, ResumeWith: null } && metadata is not { Count: > 0 })
        {
            return RunDescription.None;
        }

        RequireMetadata(metadata ?? RunDescription.None.Metadata);
        return new RunDescription
        {
            Owner = options.Owner,
            Key = options.Key,
            ResumeWith = options.ResumeWith,
            Metadata = metadata is { Count: > 0 } ? new Dictionary<string, string>(metadata, StringComparer.Ordinal) : RunDescription.None.Metadata,
        };
    }

    private static void RequireName(string? text, string member)
    {
        if (text is not null && (text.Length is 0 or > MaxNameLength || !IsStorable(text)))
        {
            throw PerennialServerOptions.Invalid(
                member, FormattableString.Invariant($"must have 1 to {MaxNameLength} characters, without NUL and half surrogate pairs"));
        }
    }

    private static void RequireMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.Count > MaxEntries)
        {
            throw PerennialServerOptions.Invalid(
                nameof(RunOptions.Metadata),
                FormattableString.Invariant($"must have at most {MaxEntries} entries, but has {metadata.Count}"));
        }

        foreach (var (name, value) in metadata)
        {
            if (name.Length is 0 or > MaxEntryNameLength || value is null or { Length: > MaxEntryValueLength }
                || !IsStorable(name) || !IsStorable(value))
            {
                throw PerennialServerOptions.Invalid(nameof(RunOptions.Metadata), FormattableString.Invariant(
                    $"must have names of 1 to {MaxEntryNameLength} and values of at most {MaxEntryValueLength} characters, ")
                    + $"without NUL and half surrogate pairs, but not so the entry '{name}'");
            }
        }
    }

    /// <summary>Whether a text has neither NUL nor half a surrogate pair.</summary>
    public static bool IsStorable(string text)
    {
        for (var n = 0; n < text.Length; n++)
        {
            if (text[n] == '\0' || (char.IsSurrogate(text[n]) && !(n + 1 < text.Length && char.IsSurrogatePair(text[n], text[++n]))))
            {
                return false;
            }
        }

        return true;
    }
}
