namespace Perennial.Http;

/// <summary>Recognizes the format of a body whose content type does not name one. Performs no I/O.</summary>
internal static class FirstBytes
{
    /// <summary>The number of bytes after which the format is always decided.</summary>
    private const int Most = 1024;

    private static ReadOnlySpan<byte> Utf8Bom => [0xEF, 0xBB, 0xBF];

    /// <summary>Returns the format, or <see langword="null"/> if these bytes still allow more than one.</summary>
    /// <param name="bytes">The body from its first byte. A byte order mark and blank lines may precede the content.</param>
    public static BodyFormat? Recognize(ReadOnlySpan<byte> bytes)
    {
        var text = bytes.StartsWith(Utf8Bom) ? bytes[Utf8Bom.Length..] : bytes;
        text = text.TrimStart(" \t\r\n"u8);
        return text switch
        {
            [(byte)'{' or (byte)'[', ..] => BodyFormat.Json,
            [(byte)':', ..] => BodyFormat.EventStream,
            _ when text.StartsWith("data:"u8) || text.StartsWith("event:"u8) || text.StartsWith("id:"u8) || text.StartsWith("retry:"u8) =>
                BodyFormat.EventStream,
            _ when bytes.Length < Most && MayBecomeKnown(text) => null,
            _ => BodyFormat.Other,
        };
    }

    /// <summary>Whether the whole text is a prefix of a field name or of a byte order mark.</summary>
    private static bool MayBecomeKnown(ReadOnlySpan<byte> text) =>
        "data:"u8.StartsWith(text)
            || "event:"u8.StartsWith(text)
            || "id:"u8.StartsWith(text)
            || "retry:"u8.StartsWith(text)
            || Utf8Bom.StartsWith(text);
}
