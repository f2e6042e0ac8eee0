using System.Buffers.Text;
using System.Runtime.CompilerServices;

namespace Perennial.Sse;

/// <summary>
/// Parses the bytes of an event stream into messages (HTML standard, sections 9.2.5 and 9.2.6), whatever the size of the pieces in which
/// they arrive. Performs no I/O. One parser reads one response. Not thread safe.
/// </summary>
internal sealed partial class SseEventParser
{
    private const byte LineFeed = (byte)'\n';
    private const byte CarriageReturn = (byte)'\r';

    /// <summary>The bytes in a line that are not data: a field name, a colon, a space.</summary>
    private const int FieldNameAllowance = 1024;

    private readonly int _maxMessageBytes;
    private readonly MessageArena _arena = new();     // the data of the event being read is its pending bytes
    private EventTypeCache? _eventTypes;              // created by the first event with a type
    private readonly LineBuffer _line = new();
    private int _byteOrderMark;                       // the number of its bytes read so far; Utf8Bom.Length after the start of the stream
    private bool _skipsLineFeed;                      // the last byte was CR: an LF now belongs to it
    private bool _hasData;
    private string? _eventType;
    private byte[] _id = [];
    private int _idLength = StreamMessage.NoId;
    private bool _idIsOwn;                            // the event being parsed has an id field
    private byte[]? _idBlock;                         // where the last message's id is stored
    private int _idStart;

    /// <param name="maxMessageBytes">The largest event accepted, in bytes.</param>
    /// <param name="lastEventId">The id from earlier connections, or <see langword="null"/>.</param>
    public SseEventParser(int maxMessageBytes, string? lastEventId)
    {
        _maxMessageBytes = maxMessageBytes;
        if (lastEventId is not null)
        {
            _id = System.Text.Encoding.UTF8.GetBytes(lastEventId);
            _idLength = _id.Length;
            HasId = _idLength > 0;
        }
    }

    /// <summary>Whether an event of this response was dispatched.</summary>
    public bool HasDispatched { get; private set; }

    /// <summary>Whether there is an id to resume after. An id counts only when its event is complete.</summary>
    public bool HasId { get; private set; }

    /// <summary>Reads the next bytes and adds the events they complete to the batch.</summary>
    /// <exception cref="TransportException">An event or a line is larger than allowed.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]      // inlined into a small caller, it would leave no budget to inline the calls inside
    public void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        bytes = SkipBeginning(bytes);
        if (_line.Length > 0 && !FinishLine(ref bytes, batch))
        {
            return;
        }

        while (true)
        {
            if (!bytes.IsEmpty && bytes[0] == LineFeed)   // the blank line after nearly every event; needs no search
            {
                Dispatch(batch);
                bytes = bytes[1..];
                continue;
            }

            var end = bytes.IndexOfAny(LineFeed, CarriageReturn);
            if (end < 0)
            {
                KeepLine(bytes);
                return;
            }

            var line = bytes[..end];
            bytes = AfterLineEnd(bytes, end);
            if (IsField(line, "data"u8, out var value))     // nearly every line, handled without a call
            {
                AddData(value);
            }
            else
            {
                ReadLine(line, batch);
            }
        }
    }

    /// <summary>Returns pooled memory. An incomplete line is lost, so the parser cannot be used afterwards.</summary>
    public void Release() => _line.Release();

    [MethodImpl(MethodImplOptions.NoInlining)]      // leaves the inlining budget for data lines
    private void ReadLine(ReadOnlySpan<byte> line, MessageBatch batch)
    {
        if (line.IsEmpty)
        {
            Dispatch(batch);
            return;
        }

        ThrowIfTooLarge(line.Length - FieldNameAllowance);
        if (IsField(line, "data"u8, out var value))
        {
            AddData(value);
        }
        else if (IsField(line, "id"u8, out value))
        {
            SetId(value);
        }
        else if (IsField(line, "event"u8, out value))
        {
            _eventType = value.IsEmpty ? null : (_eventTypes ??= new EventTypeCache()).Get(value);
        }
        else if (IsField(line, "retry"u8, out value) && !value.IsEmpty && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            var isShort = Utf8Parser.TryParse(value, out int milliseconds, out _);
            batch.RetryDelay = TimeSpan.FromMilliseconds(isShort ? milliseconds : int.MaxValue);
        }
    }

    /// <summary>Whether a line is the given field: the name alone, or the name, a colon, an optional space and a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsField(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!line.StartsWith(name))
        {
            return false;
        }

        if (line.Length == name.Length)
        {
            return true;
        }

        if (line[name.Length] != (byte)':')
        {
            return false;
        }

        value = line[(name.Length + 1)..];
        if (!value.IsEmpty && value[0] == (byte)' ')
        {
            value = value[1..];
        }

        return true;
    }

    /// <summary>Data lines are joined by LF.</summary>
    private void AddData(ReadOnlySpan<byte> value)
    {
        ThrowIfTooLarge(_arena.PendingLength + value.Length + (_hasData ? 1 : 0));
        if (_hasData)
        {
            _arena.Append("\n"u8, value.Length);
        }

        _arena.Append(value, Math.Max(_idLength, 0));
        _hasData = true;
    }

    /// <summary>"If the field value does not contain U+0000 NULL, then set the last event ID buffer to the field value."</summary>
    private void SetId(ReadOnlySpan<byte> value)
    {
        if (value.Contains((byte)0))
        {
            return;
        }

        if (value.Length > MessageBatch.LargestId)
        {
            throw new TransportException(TransportErrorCode.MessageTooLarge, $"An event id is larger than {MessageBatch.LargestId} bytes.");
        }

        if (_id.Length < value.Length)
        {
            _id = new byte[value.Length];
        }

        value.CopyTo(_id);
        _idLength = value.Length;
        _idIsOwn = true;
    }

    /// <summary>Dispatches the event at a blank line. Without data there is no message, but the id still counts.</summary>
    private void Dispatch(MessageBatch batch)
    {
        if (_hasData)
        {
            batch.Add(TakeMessage());
            HasDispatched = true;
        }
        else if (_idIsOwn)
        {
            batch.MoveCursor(_id.AsSpan(0, _idLength));
            _idBlock = null;
        }

        HasId = _idLength > 0;
        _hasData = false;
        _idIsOwn = false;
        _eventType = null;
    }

    /// <summary>Stores the id after the data, unless it equals the last message's id and is already in the same block.</summary>
    private StreamMessage TakeMessage()
    {
        var dataLength = _arena.PendingLength;
        var isStored = !_idIsOwn && ReferenceEquals(_idBlock, _arena.Block);
        if (_idLength > 0 && !isStored)
        {
            _arena.Append(_id.AsSpan(0, _idLength));
        }

        var (block, start) = _arena.Commit();
        if (!isStored)
        {
            (_idBlock, _idStart) = (block, start + dataLength);
        }

        return new StreamMessage(
            block, start, dataLength, _idStart, _idLength, _eventType, _idIsOwn ? MessageTraits.None : MessageTraits.InheritsId);
    }

    private void ThrowIfTooLarge(int length)
    {
        if (length > _maxMessageBytes)
        {
            ThrowTooLarge();
        }
    }

    private void ThrowTooLarge() => throw new TransportException(
        TransportErrorCode.MessageTooLarge, $"An event or a line is larger than MaxMessageBytes ({_maxMessageBytes} bytes).");
}
