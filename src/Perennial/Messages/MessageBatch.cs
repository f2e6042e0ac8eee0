using System.Runtime.InteropServices;

namespace Perennial;

/// <summary>
/// The result of one read of a <see cref="TransportConnection"/>: complete messages in order, a retry delay and a new resume point. The
/// connection fills it during <see cref="TransportConnection.ReadAsync"/>, and the transport empties it. Not thread safe.
/// </summary>
public sealed class MessageBatch
{
    /// <summary>The longest id accepted, in bytes: longer than servers accept in a header.</summary>
    internal const int LargestId = 8 * 1024;

    private MessageArena? _arena;
    private StreamMessage[] _messages = [];
    private int _count;
    private byte[] _cursor = [];
    private int _cursorLength = StreamMessage.NoId;
    private int _cursorIndex;

    /// <summary>Gets the number of messages added since the transport last emptied the batch.</summary>
    public int Count => _count;

    /// <summary>
    /// Gets or sets the number of bytes that this read received from the network, including framing and heartbeats. Used for metrics.
    /// </summary>
    public long BytesReceived { get; set; }

    /// <summary>
    /// Gets or sets the reconnect delay that the server requested in this read (SSE <c>retry:</c>), or <see langword="null"/>.
    /// </summary>
    public TimeSpan? RetryDelay { get; set; }

    /// <summary>Gets the messages added since the transport last emptied the batch. Valid until the next one is added or removed.</summary>
    public ReadOnlySpan<StreamMessage> Messages => _messages.AsSpan(0, _count);

    /// <summary>
    /// Gets whether the read has yielded nothing that the transport must know: no message, resume point or reconnect delay.
    /// </summary>
    public bool IsEmpty => _count == 0 && !HasCursor && RetryDelay is null;

    internal bool HasCursor => _cursorLength != StreamMessage.NoId;

    /// <summary>The index of the message before which the resume point moves without a message.</summary>
    internal int CursorIndex => _cursorIndex;

    /// <summary>The new resume point. Valid only if <see cref="HasCursor"/> is true.</summary>
    internal ReadOnlySpan<byte> Cursor => _cursor.AsSpan(0, Math.Max(_cursorLength, 0));

    /// <summary>Adds one complete message. Its bytes are copied.</summary>
    /// <param name="data">The payload.</param>
    /// <param name="id">The message's id in UTF-8. Empty if it has none.</param>
    /// <param name="eventType">The event type, or <see langword="null"/> for <see cref="StreamMessage.DefaultEventType"/>.</param>
    /// <param name="isBinary">Whether the sender marked the payload as binary.</param>
    public void Add(ReadOnlySpan<byte> data, ReadOnlySpan<byte> id = default, string? eventType = null, bool isBinary = false) =>
        Add(data, id, eventType, isBinary ? MessageTraits.Binary : MessageTraits.None);

    /// <summary>Adds one complete message without an id, whose bytes are not copied.</summary>
    /// <param name="data">The payload. Its array is kept as long as the message and must not change any more.</param>
    /// <param name="isBinary">Whether the sender marked the payload as binary.</param>
    public void AddWithoutCopy(ReadOnlyMemory<byte> data, bool isBinary = false)
    {
        if (MemoryMarshal.TryGetArray(data, out var part) && part.Array is { } buffer)
        {
            var traits = isBinary ? MessageTraits.Binary : MessageTraits.None;
            Add(new StreamMessage(buffer, part.Offset, part.Count, 0, StreamMessage.NoId, eventType: null, traits));
        }
        else
        {
            Add(data.Span, isBinary: isBinary);     // memory that is no array
        }
    }

    /// <summary>
    /// Adds bytes that are not a message, in their place among the messages. The transport reports them as a recoverable error
    /// (<see cref="StreamSignal.Malformed"/>) and does not deliver them.
    /// </summary>
    /// <param name="data">The bytes, which are copied.</param>
    public void AddMalformed(ReadOnlySpan<byte> data) => Add(data, default, eventType: null, MessageTraits.Malformed);

    /// <summary>Adds a chunk of a body without framing.</summary>
    internal void AddChunk(ReadOnlySpan<byte> data) => Add(data, default, eventType: null, MessageTraits.Chunk);

    private void Add(ReadOnlySpan<byte> data, ReadOnlySpan<byte> id, string? eventType, MessageTraits traits)
    {
        var arena = _arena ??= new MessageArena();
        arena.Append(data, id.Length);
        if (!id.IsEmpty)
        {
            arena.Append(id);
        }

        var (buffer, start) = arena.Commit();
        Add(new StreamMessage(
            buffer,
            start,
            data.Length,
            start + data.Length,
            id.IsEmpty ? StreamMessage.NoId : id.Length,
            eventType,
            traits));
    }

    /// <summary>
    /// Moves the resume point without a message, for instance for an SSE block with an id and no data. It takes effect after the messages
    /// added before.
    /// </summary>
    /// <param name="id">The new resume point in UTF-8. Empty clears it.</param>
    public void MoveCursor(ReadOnlySpan<byte> id)
    {
        if (_cursor.Length < id.Length)
        {
            _cursor = new byte[id.Length];
        }

        id.CopyTo(_cursor);
        _cursorLength = id.Length;
        _cursorIndex = _count;
    }

    internal void Add(in StreamMessage message)
    {
        if (_count == _messages.Length)
        {
            Array.Resize(ref _messages, Math.Max(1, _count * 2));
        }

        _messages[_count++] = message;
        if (message.MovesCursor)
        {
            _cursorLength = StreamMessage.NoId;
        }
    }

    /// <summary>Removes the message that was added last, because it is not one for the reader.</summary>
    public void RemoveLast() => _messages[--_count] = default;

    /// <summary>Clears the new resume point.</summary>
    internal void TakeCursor() => _cursorLength = StreamMessage.NoId;

    /// <summary>Marks a message as the first after a gap.</summary>
    internal void MarkGap(int index) => _messages[index] = _messages[index].AfterGap();

    /// <summary>Moves everything to another batch, which must be empty.</summary>
    internal void MoveTo(MessageBatch other)
    {
        (_messages, other._messages) = (other._messages, _messages);
        (_count, other._count) = (0, _count);
        (_cursor, other._cursor) = (other._cursor, _cursor);
        (_cursorLength, other._cursorLength) = (StreamMessage.NoId, _cursorLength);
        other._cursorIndex = _cursorIndex;
        (BytesReceived, other.BytesReceived) = (0, BytesReceived);
        (RetryDelay, other.RetryDelay) = (null, RetryDelay);
    }

    internal void Clear()
    {
        Array.Clear(_messages, 0, _count);
        _count = 0;
        _cursorLength = StreamMessage.NoId;
        BytesReceived = 0;
        RetryDelay = null;
    }
}
