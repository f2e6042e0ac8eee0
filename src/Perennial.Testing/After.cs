using System.Globalization;
using System.Text;

namespace Perennial.Testing;

/// <summary>
/// The moment of a fault, counted per connection and direction. Bytes are counted as they are on the wire: HTTP heads and chunk sizes
/// included. Immutable; equal moments compare equal.
/// </summary>
public sealed record After
{
    private After()
    {
    }

    /// <summary>How many bytes pass before the fault, where that is known in advance.</summary>
    internal long? ByteCount { get; private init; }

    /// <summary>The bytes to look for, one per character so that records compare by content, and how often they have to pass.</summary>
    internal (string Latin1, int Times)? Sequence { get; private init; }

    /// <summary>The time since the connection was accepted.</summary>
    internal TimeSpan? Elapsed { get; private init; }

    /// <summary>
    /// The moment byte number <paramref name="count"/> has passed: it is the last one delivered.
    /// Zero is the moment the first byte would pass: the peer has begun to speak, and not a byte of it arrives.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public static After Bytes(long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return new After { ByteCount = count };
    }

    /// <summary>
    /// The moment the text, as UTF-8, has passed <paramref name="times"/> times: its last byte is the last one delivered.
    /// Occurrences do not overlap. HTTP chunk boundaries count as bytes, so they may split a text that spans chunks.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="text"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="times"/> is below 1.</exception>
    public static After Seen(string text, int times = 1)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Seen(Encoding.UTF8.GetBytes(text), times);
    }

    /// <summary>The same for any sequence of bytes.</summary>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="times"/> is below 1.</exception>
    public static After Seen(ReadOnlySpan<byte> bytes, int times = 1)
    {
        if (bytes.IsEmpty)
        {
            throw new ArgumentException("There must be at least one byte to look for.", nameof(bytes));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(times, 1);
        return new After { Sequence = (Encoding.Latin1.GetString(bytes), times) };
    }

    /// <summary>The moment this much time has gone by since the connection was accepted, whatever has passed by then.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="elapsed"/> is negative.</exception>
    public static After Time(TimeSpan elapsed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(elapsed, TimeSpan.Zero);
        return new After { Elapsed = elapsed };
    }

    /// <summary>The moment in a few words, such as <c>after 120 bytes</c>.</summary>
    public override string ToString() => this switch
    {
        { ByteCount: { } count } => string.Create(CultureInfo.InvariantCulture, $"after {count} bytes"),
        { Sequence: var (text, times) } =>
            string.Create(CultureInfo.InvariantCulture, $"after {times} times '{text.ReplaceLineEndings("\\n")}'"),
        _ => string.Create(CultureInfo.InvariantCulture, $"after {Elapsed:c}"),
    };
}
