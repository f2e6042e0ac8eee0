using System.Buffers;
using System.Buffers.Text;

namespace Perennial.Sse;

/// <summary>
/// Turns the bytes of an event stream into messages (HTML standard, 9.2.5 and 9.2.6), whatever the pieces they come in. Touches no
/// I/O. One parser reads one response; not thread safe.
/// </summary>
internal sealed class SseEventParser
{
    private const byte LineFeed = (byte)'\n';
    private const byte CarriageReturn = (byte)'\r';

    /// <summary>Room in a line for what is not data: a field name, a colon, a space.</summary>
    private const int FieldNameAllowance = 1024;

    private const int LargestKeptLine = 4 * 1024;

    private readonly int _maxMessageBytes;
    private readonly MessageArena _arena = new();     // the data of the event being read is its pending bytes
    private readonly EventTypeCache _eventTypes = new();
    private byte[] _line = [];                        // the beginning of a line whose end has not come
    private int _lineLength;
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
            HasId = true;
        }
    }

    private static ReadOnlySpan<byte> Utf8Bom => [0xEF, 0xBB, 0xBF];

    /// <summary>Whether an event of this stream was dispatched.</summary>
    public bool HasDispatched { get; private set; }

    /// <summary>Whether there is an id to resume after: one from before, or of an event that arrived whole.</summary>
    public bool HasId { get; private set; }

    /// <summary>Reads the next bytes and adds the events they complete to the batch.</summary>
    /// <exception cref="TransportException">An event or a line is larger than allowed.</exception>
    public void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        if (_byteOrderMark < Utf8Bom.Length)
        {
            bytes = SkipByteOrderMark(bytes);
        }

        if (_skipsLineFeed && !bytes.IsEmpty)
        {
            _skipsLineFeed = false;
            bytes = bytes[0] == LineFeed ? bytes[1..] : bytes;
        }

        if (_lineLength > 0)
        {
            var end = bytes.IndexOfAny(LineFeed, CarriageReturn);
            KeepLine(end < 0 ? bytes : bytes[..end]);
            if (end < 0)
            {
                return;
            }

            ReadLine(_line.AsSpan(0, _lineLength), batch);
            _lineLength = 0;
            if (_line.Length > LargestKeptLine)
            {
                ReleaseLine();
            }

            bytes = AfterLineEnd(bytes, end);
        }

        while (true)
        {
            var end = bytes.IndexOfAny(LineFeed, CarriageReturn);
            if (end < 0)
            {
                KeepLine(bytes);
                return;
            }

            ReadLine(bytes[..end], batch);
            bytes = AfterLineEnd(bytes, end);
        }
    }

    /// <summary>"One leading U+FEFF BYTE ORDER MARK character must be ignored if any are present."</summary>
    private ReadOnlySpan<byte> SkipByteOrderMark(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && _byteOrderMark < Utf8Bom.Length)
        {
            if (bytes[0] != Utf8Bom[_byteOrderMark])
            {
                KeepLine(Utf8Bom[.._byteOrderMark]);
                _byteOrderMark = Utf8Bom.Length;
                return bytes;
            }

            _byteOrderMark++;
            bytes = bytes[1..];
        }

        return bytes;
    }

    /// <summary>Lines end with CR LF, LF or CR. A CR ends its line at once; an LF that follows later is part of the same end.</summary>
    private ReadOnlySpan<byte> AfterLineEnd(ReadOnlySpan<byte> bytes, int end)
    {
        var next = end + 1;
        if (bytes[end] == CarriageReturn)
        {
            if (next == bytes.Length)
            {
                _skipsLineFeed = true;
            }
            else if (bytes[next] == LineFeed)
            {
                next++;
            }
        }

        return bytes[next..];
    }

    private void KeepLine(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        var length = _lineLength + bytes.Length;
        ThrowIfTooLarge(length - FieldNameAllowance);
        if (length > _line.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(length, Math.Min(_line.Length * 2, Array.MaxLength)));
            _line.AsSpan(0, _lineLength).CopyTo(larger);
            ReleaseLine();
            _line = larger;
        }

        bytes.CopyTo(_line.AsSpan(_lineLength));
        _lineLength = length;
    }

    /// <summary>Returns pooled memory. The parser can go on.</summary>
    public void ReleaseLine()
    {
        if (_line.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_line);
            _line = [];
        }
    }

    private void ReadLine(ReadOnlySpan<byte> line, MessageBatch batch)
    {
        if (line.IsEmpty)
        {
            Dispatch(batch);
            return;
        }

        var colon = line.IndexOf((byte)':');
        var name = colon < 0 ? line : line[..colon];
        var value = colon < 0 ? default : line[(colon + 1)..];
        if (!value.IsEmpty && value[0] == (byte)' ')
        {
            value = value[1..];
        }

        if (name.SequenceEqual("data"u8))
        {
            AddData(value);
        }
        else if (name.SequenceEqual("id"u8))
        {
            SetId(value);
        }
        else if (name.SequenceEqual("event"u8))
        {
            _eventType = value.IsEmpty ? null : _eventTypes.Get(value);
        }
        else if (name.SequenceEqual("retry"u8) && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9') && !value.IsEmpty)
        {
            var isShort = Utf8Parser.TryParse(value, out int milliseconds, out _);
            batch.RetryDelay = isShort ? TimeSpan.FromMilliseconds(milliseconds) : TimeSpan.FromMilliseconds(int.MaxValue);
        }
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

        ThrowIfTooLarge(value.Length);
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
            throw new TransportException(
                TransportErrorCode.MessageTooLarge, $"An event is larger than MaxMessageBytes ({_maxMessageBytes} bytes).");
        }
    }
}
