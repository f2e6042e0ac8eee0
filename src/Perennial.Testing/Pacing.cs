using System.Collections.Immutable;
using System.Globalization;

namespace Perennial.Testing;

/// <summary>In which pieces bytes are passed on, and how long each piece is followed by a pause.</summary>
internal sealed record Pacing
{
    /// <summary>The sizes of the pieces in bytes, used in turn, for ever.</summary>
    public required ImmutableArray<int> Sizes { get; init; }

    /// <summary>The most bytes to pass on per second, where there is a limit.</summary>
    public int? BytesPerSecond { get; init; }

    /// <summary>The pause after each piece.</summary>
    public TimeSpan Pause { get; init; }

    public bool Equals(Pacing? other) =>
        other is not null
        && BytesPerSecond == other.BytesPerSecond
        && Pause == other.Pause
        && Sizes.AsSpan().SequenceEqual(other.Sizes.AsSpan());

    public override int GetHashCode() => HashCode.Combine(BytesPerSecond, Pause, Sizes.Length, Sizes[0]);

    public override string ToString()
    {
        if (BytesPerSecond is { } rate)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{rate} bytes per second");
        }

        var pause = Pause > TimeSpan.Zero ? string.Create(CultureInfo.InvariantCulture, $", pause {Pause:c}") : "";
        return $"pieces of {string.Join(", ", Sizes)} bytes{pause}";
    }
}
