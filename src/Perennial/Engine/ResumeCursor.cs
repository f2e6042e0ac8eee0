using System.Text;

namespace Perennial.Engine;

/// <summary>
/// The resume point: the id of the last message handed to the buffer. It belongs to the transport and outlives connections.
/// Written by the connection loop, read by anyone.
/// </summary>
/// <param name="start">Where to begin, or <see langword="null"/>.</param>
/// <param name="isExact">Whether that is behind the last message that was taken.</param>
/// <param name="gate">The transport's lock.</param>
internal sealed class ResumeCursor(string? start, bool isExact, Lock gate)
{
    private byte[] _id = start is null ? [] : Encoding.UTF8.GetBytes(start);
    private int _length = start is null ? 0 : Encoding.UTF8.GetByteCount(start);
    private bool _isExact = isExact;

    public string? Value
    {
        get
        {
            lock (gate)
            {
                return _length == 0 ? null : Encoding.UTF8.GetString(_id, 0, _length);
            }
        }
    }

    /// <summary>
    /// Whether resuming here repeats and misses nothing: false once a message without an id of its own was handed over, until one
    /// with an id follows.
    /// </summary>
    public bool IsExact => Volatile.Read(ref _isExact);

    /// <summary>
    /// Whether a gap was announced and the message that follows it has not come yet. Kept here because that message may come on
    /// another connection. Read and written by the connection loop alone.
    /// </summary>
    public bool IsBeforeGap { get; set; }

    /// <summary>Moves past messages that were handed over. Returns whether one of them had an id of its own.</summary>
    public bool MovePast(ReadOnlySpan<StreamMessage> messages)
    {
        var hasMoved = false;
        var last = messages.Length - 1;
        for (var i = last; i >= 0; i--)
        {
            if (messages[i].MovesCursor)
            {
                MoveTo(messages[i].IdUtf8);
                hasMoved = true;
                break;
            }
        }

        if (last >= 0 && !messages[last].MovesCursor)
        {
            Volatile.Write(ref _isExact, false);
        }

        return hasMoved;
    }

    /// <summary>Moves to an id in UTF-8; an empty one clears the resume point.</summary>
    public void MoveTo(ReadOnlySpan<byte> id)
    {
        lock (gate)
        {
            if (_id.Length < id.Length)
            {
                _id = new byte[id.Length];
            }

            id.CopyTo(_id);
            _length = id.Length;
            _isExact = !id.IsEmpty;
        }
    }
}
