using System.Buffers.Text;
using System.Runtime.CompilerServices;

namespace Perennial.Sse;

/// <summary>
/// Turns the bytes of an event stream into messages (HTML standard, 9.2.5 and 9.2.6), whatever the pieces they come in. Touches no
/// I/O. One parser reads one response; not thread safe.
/// </summary>
internal sealed partial class SseEventParser
{
    private const byte LineFeed = (byte)'\n';
    private const byte CarriageReturn = (byte)'\r';

    /// <summary>Room in a line for what is not data: a field name, a colon, a space.</summary>
    private const int FieldNameAllowance = 1024;

    private readonly int _maxMessageBytes;
    private readonly MessageArena _arena = new();     // the data of the event being read is its pending bytes
    private readonly EventTypeCache _eventTypes = new();
    private readonly LineBuffer _line = new();
    private int _byteOrderMark;                       // how much of it was seen; Utf8Bom.Length once the stream has begun
    private bool _skipsLineFeed;                      // the last byte was CR: an LF now belongs to it
    private bool _hasData;
    private string? _eventType;
    private byte[] _id = [];
    private int _idLength = StreamMessage.SaysNothingOfIds;
    private bool _idIsOwn;                            // the event being read has an id field
    private byte[]? _idBlock;                         // where the last message's id is stored
    private int _idStart;

    /// <param name="maxMessageBytes">The largest event accepted.</param>
    /// <param name="lastEventId">The id in force from earlier connections, or <see langword="null"/>.</param>
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

    /// <summary>Whether an event of this stream was dispatched.</summary>
    public bool HasDispatched { get; private set; }

    /// <summary>Whether there is an id to resume after. An event must be complete for its id to count.</summary>
    public bool HasId { get; private set; }

    /// <summary>Reads the next bytes and adds the events they complete to the batch.</summary>
    /// <exception cref="TransportException">An event or a line is larger than allowed.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]      // into a small caller the compiler would inline this, and then nothing of what is in it
    public void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        bytes = SkipBeginning(bytes);
        if (_line.Length > 0 && !FinishLine(ref bytes, batch))
        {
            return;
        }

        while (true)
        {
            if (!bytes.IsEmpty && bytes[0] == LineFeed)   // ends nearly every event, and needs no search
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
            if (IsField(line, "data"u8, out var value))     // as nearly every line is: without a call
            {
                AddData(value);
            }
            else
            {
                ReadLine(line, batch);
            }
        }
    }

    /// <summary>Gives pooled memory back. The beginning of a line is lost, so this ends the use of a parser.</summary>
    public void Release() => _line.Release();

    [MethodImpl(MethodImplOptions.NoInlining)]      // leaves room for what is inlined for data
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
            _eventType = value.IsEmpty ? null : _eventTypes.Get(value);
        }
        else if (IsField(line, "retry"u8, out value) && !value.IsEmpty && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            var isShort = Utf8Parser.TryParse(value, out int milliseconds, out _);
            batch.RetryDelay = TimeSpan.FromMilliseconds(isShort ? milliseconds : int.MaxValue);
        }
    }

    /// <summary>Whether a line is the named field: the name alone, or the name, a colon, and a value that a space may precede.</summary>
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

    /// <summary>An empty line ends the event. Without data there is no message, but the id counts all the same.</summary>
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

    /// <summary>Stores the id behind the data, unless it is the same as the last message's and stands in the same block already.</summary>
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
