namespace Perennial;

/// <summary>
/// What one read of a <see cref="TransportConnection"/> yields: complete messages in order, and what the server said on the side.
/// Filled by the connection during <see cref="TransportConnection.ReadAsync"/>, emptied by the transport. Not thread safe.
/// </summary>
public sealed class MessageBatch
{
    /// <summary>The longest id accepted: more than servers take in a header.</summary>
    internal const int LargestId = 8 * 1024;

    private MessageArena? _arena;
    private StreamMessage[] _messages = [];
    private int _count;
    private byte[] _cursor = [];
    private int _cursorLength = StreamMessage.SaysNothingOfIds;
    private int _cursorIndex;

    /// <summary>The number of messages added since the transport last emptied the batch.</summary>
    public int Count => _count;

    /// <summary>Bytes that came from the network in this read, framing and heartbeats included. For metrics.</summary>
    public long BytesReceived { get; set; }

    /// <summary>The reconnect delay the server asked for in this read (SSE <c>retry:</c>), or <see langword="null"/>.</summary>
    public TimeSpan? RetryDelay { get; set; }

    internal ReadOnlySpan<StreamMessage> Messages => _messages.AsSpan(0, _count);

    /// <summary>Whether the read has yielded nothing that the transport must know.</summary>
    internal bool IsEmpty => _count == 0 && !HasCursor && RetryDelay is null;

    internal bool HasCursor => _cursorLength != StreamMessage.SaysNothingOfIds;

    /// <summary>Before which message the resume point was moved without one.</summary>
    internal int CursorIndex => _cursorIndex;

    /// <summary>Where it was moved to, where <see cref="HasCursor"/> says that it was.</summary>
    internal ReadOnlySpan<byte> Cursor => _cursor.AsSpan(0, Math.Max(_cursorLength, 0));

    /// <summary>Adds one complete message; its bytes are copied.</summary>
    /// <param name="data">The payload.</param>
    /// <param name="id">The message's id in UTF-8; empty where the protocol has none.</param>
    /// <param name="eventType">The event type, or <see langword="null"/> for <see cref="StreamMessage.DefaultEventType"/>.</param>
    /// <param name="isBinary">Whether the sender marked the payload as binary.</param>
    public void Add(ReadOnlySpan<byte> data, ReadOnlySpan<byte> id = default, string? eventType = null, bool isBinary = false) =>
        Add(data, id, eventType, isBinary ? MessageTraits.Binary : MessageTraits.None);

    /// <summary>Adds something that is no message, in its place among the messages, for <see cref="StreamSignal.Malformed"/>.</summary>
    internal void AddMalformed(ReadOnlySpan<byte> data) => Add(data, default, eventType: null, MessageTraits.Malformed);

    /// <summary>Adds a piece of a body without frames.</summary>
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
            id.IsEmpty ? StreamMessage.SaysNothingOfIds : id.Length,
            eventType,
            traits));
    }

    /// <summary>
    /// Moves the resume point without a message, as an SSE block with an id and no data does. It takes effect after the messages
    /// added before it.
    /// </summary>
    /// <param name="id">The new resume point in UTF-8; empty clears it.</param>
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
            _cursorLength = StreamMessage.SaysNothingOfIds;
        }
    }

    /// <summary>Takes the last message out again, which was none for the reader.</summary>
    internal void RemoveLast() => _messages[--_count] = default;

    /// <summary>Forgets that the resume point was moved.</summary>
    internal void TakeCursor() => _cursorLength = StreamMessage.SaysNothingOfIds;

    /// <summary>Marks a message as the first after a gap.</summary>
    internal void MarkGap(int index) => _messages[index] = _messages[index].AfterGap();

    /// <summary>Hands everything to another batch, which is empty.</summary>
    internal void MoveTo(MessageBatch other)
    {
        (_messages, other._messages) = (other._messages, _messages);
        (_count, other._count) = (0, _count);
        (_cursor, other._cursor) = (other._cursor, _cursor);
        (_cursorLength, other._cursorLength) = (StreamMessage.SaysNothingOfIds, _cursorLength);
        other._cursorIndex = _cursorIndex;
        (BytesReceived, other.BytesReceived) = (0, BytesReceived);
        (RetryDelay, other.RetryDelay) = (null, RetryDelay);
    }

    internal void Clear()
    {
        Array.Clear(_messages, 0, _count);
        _count = 0;
        _cursorLength = StreamMessage.SaysNothingOfIds;
        BytesReceived = 0;
        RetryDelay = null;
    }
}
