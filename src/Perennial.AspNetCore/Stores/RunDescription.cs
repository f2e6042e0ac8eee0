using System.Collections.ObjectModel;

namespace Perennial.AspNetCore.Stores;

/// <summary>The words of the application about a run, set at its start. A store keeps them without a change. Immutable.</summary>
public sealed record RunDescription
{
    private readonly IReadOnlyDictionary<string, string> _metadata = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Gets the description of a run about which the application has said nothing.</summary>
    public static RunDescription None { get; } = new();

    /// <summary>Gets the owner, as in <see cref="RunOptions.Owner"/>; null for none.</summary>
    public string? Owner { get; init; }

    /// <summary>Gets the key, as in <see cref="RunOptions.Key"/>; null for none.</summary>
    public string? Key { get; init; }

    /// <summary>Gets the name of the resumption, as in <see cref="RunOptions.ResumeWith"/>; null for none.</summary>
    public string? ResumeWith { get; init; }

    /// <summary>Gets the metadata, as in <see cref="RunOptions.Metadata"/>; empty for none.</summary>
    /// <exception cref="ArgumentNullException">The value is null.</exception>
    public IReadOnlyDictionary<string, string> Metadata
    {
        get => _metadata;
        init => _metadata = value ?? throw new ArgumentNullException(nameof(value));
    }

    /// <summary>Returns whether both have the same owner, key, resumption and metadata.</summary>
    /// <param name="other">The other description.</param>
    public bool Equals(RunDescription? other) =>
        other is not null
        && string.Equals(Owner, other.Owner, StringComparison.Ordinal)
        && string.Equals(Key, other.Key, StringComparison.Ordinal)
        && string.Equals(ResumeWith, other.ResumeWith, StringComparison.Ordinal)
        && Metadata.Count == other.Metadata.Count
        && Metadata.All(entry => other.Metadata.TryGetValue(entry.Key, out var value)
            && string.Equals(value, entry.Value, StringComparison.Ordinal));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Owner, Key, Metadata.Count);

    /// <summary>About how many bytes it takes in memory.</summary>
    internal long Size => Length(Owner) + Length(Key) + Length(ResumeWith) + Metadata.Sum(static entry => Length(entry.Key) + Length(entry.Value));

    private static long Length(string? text) => text is null ? 0 : text.Length * sizeof(char);
}
