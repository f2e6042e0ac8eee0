using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Perennial;

/// <summary>A complete message of a stream. It owns its bytes: it may be kept and copied, and read from any thread at any time.</summary>
/// <remarks>
/// A small value, efficient to pass by <c>in</c>. Messages that arrived together share one block of memory (at most 32 KiB, unless a single
/// message is larger). The block stays in memory as long as any of its messages.
/// </remarks>
public readonly struct StreamMessage
{
    /// <summary>The <see cref="EventType"/> of a message without an event type.</summary>
    public const string DefaultEventType = "message";

    internal const int NoId = -1;

    private readonly byte[]? _buffer;
    private readonly string? _eventType;
    private readonly int _dataStart;
    private readonly int _dataLength;
    private readonly int _idStart;
    private readonly int _idLength;
    private readonly MessageTraits _traits;

    internal StreamMessage(
        byte[] buffer, int dataStart, int dataLength, int idStart, int idLength, string? eventType, MessageTraits traits)
    {
        _buffer = buffer;
        _eventType = eventType;
        _dataStart = dataStart;
        _dataLength = dataLength;
        _idStart = idStart;
        _idLength = idLength;
        _traits = traits;
    }

    private StreamMessage(in StreamMessage message, MessageTraits added)
    {
        this = message;
        _traits |= added;
    }

    /// <summary>
    /// Gets the id of the message (over SSE: the last event id that applies), or <see langword="null"/>. Each call decodes it again.
    /// </summary>
    public string? Id => _idLength > 0 ? Encoding.UTF8.GetString(IdUtf8) : null;

    /// <summary>Gets the event type that the server sent, or <see cref="DefaultEventType"/>.</summary>
    public string EventType => _eventType ?? DefaultEventType;

    /// <summary>Gets the payload: UTF-8 for text messages, arbitrary bytes for binary ones.</summary>
    public ReadOnlyMemory<byte> Data => new(_buffer, _dataStart, _dataLength);

    /// <summary>Gets the payload decoded as UTF-8, with invalid sequences replaced by U+FFFD. Each call decodes it again.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>Gets whether the sender marked the payload as binary (WebSocket binary messages).</summary>
    public bool IsBinary => (_traits & MessageTraits.Binary) != MessageTraits.None;

    /// <summary>
    /// Gets whether this is a chunk of a body without framing, as it arrived from the network. Its start and end have no meaning, and a
    /// character may be divided between two chunks.
    /// </summary>
    public bool IsChunk => (_traits & MessageTraits.Chunk) != MessageTraits.None;

    /// <summary>
    /// Gets whether messages may be missing or repeated before this one. It is the first message after a gap that the server announced, or
    /// after a reconnect to a server that does not number its messages.
    /// </summary>
    public bool FollowsGap => (_traits & MessageTraits.FollowsGap) != MessageTraits.None;

    /// <summary>Whether this is not a valid message and only stored to be reported.</summary>
    internal bool IsMalformed => (_traits & MessageTraits.Malformed) != MessageTraits.None;

    /// <summary>The bytes of <see cref="Data"/>, read directly from the array.</summary>
    internal ReadOnlySpan<byte> Bytes => _buffer.AsSpan(_dataStart, _dataLength);

    internal bool NamesItsEventType => _eventType is not null;

    internal ReadOnlySpan<byte> IdUtf8 => _idLength > 0 ? _buffer.AsSpan(_idStart, _idLength) : default;

    /// <summary>Whether this message itself moves the resume point. An empty id clears it (HTML standard, section 9.2.6).</summary>
    internal bool MovesCursor => _idLength != NoId && (_traits & MessageTraits.InheritsId) == MessageTraits.None;

    /// <summary>Creates a text message, for tests of code that reads messages.</summary>
    /// <param name="text">The payload.</param>
    /// <param name="id">The id, or <see langword="null"/> for none.</param>
    /// <param name="eventType">The event type, or <see langword="null"/> for <see cref="DefaultEventType"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is <see langword="null"/>.</exception>
    public static StreamMessage FromText(string text, string? id = null, string? eventType = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        var dataLength = Encoding.UTF8.GetByteCount(text);
        var buffer = Encoding.UTF8.GetBytes(text + id);
        return new StreamMessage(
            buffer, 0, dataLength, dataLength, id is null ? NoId : buffer.Length - dataLength, eventType, MessageTraits.None);
    }

    /// <summary>Deserializes the payload from JSON.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    /// <returns>The value. <see langword="null"/> if the payload is the JSON literal <c>null</c>.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="typeInfo"/> is <see langword="null"/>.</exception>
    /// <exception cref="JsonException">The payload is not JSON, or cannot be deserialized to <typeparamref name="T"/>.</exception>
    public T? Deserialize<T>(JsonTypeInfo<T> typeInfo) => JsonSerializer.Deserialize(Bytes, typeInfo);

    /// <summary>Deserializes the payload from JSON, by reflection.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="options">The JSON options. <see langword="null"/> uses <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <returns>The value. <see langword="null"/> if the payload is the JSON literal <c>null</c>.</returns>
    /// <exception cref="JsonException">The payload is not JSON, or cannot be deserialized to <typeparamref name="T"/>.</exception>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public T? Deserialize<T>(JsonSerializerOptions? options = null) => Deserialize(JsonContract.Of<T>(options));

    /// <summary>Returns the event type and the size, not the payload. Safe to log.</summary>
    public override string ToString() => $"{EventType} ({_dataLength} bytes)";

    /// <summary>Returns the same message with another payload. A payload that is a part of the old one is not copied.</summary>
    internal StreamMessage WithData(ReadOnlyMemory<byte> data)
    {
        if (MemoryMarshal.TryGetArray(data, out var part) && part.Array == _buffer && _buffer is not null)
        {
            return new StreamMessage(_buffer, part.Offset, part.Count, _idStart, _idLength, _eventType, _traits);
        }

        return new StreamMessage([.. data.Span, .. IdUtf8], 0, data.Length, data.Length, _idLength, _eventType, _traits);
    }

    internal StreamMessage AfterGap() => new(this, MessageTraits.FollowsGap);
}

[Flags]
internal enum MessageTraits
{
    None = 0,
    Binary = 1,
    FollowsGap = 2,
    InheritsId = 4,
    Malformed = 8,
    Chunk = 16,
}
