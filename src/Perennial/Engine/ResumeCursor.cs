using System.Text;

namespace Perennial.Engine;

/// <summary>
/// The cursor: the id of the last message put into the buffer, after which a reconnect resumes. It belongs to the transport and outlives
/// connections. The connection loop writes it; any thread may read it.
/// </summary>
/// <param name="start">The id after which the stream starts, or <see langword="null"/>.</param>
/// <param name="isExact">
/// Whether <paramref name="start"/> is the id of the last message that a previous reader took, so that resuming there misses nothing.
/// </param>
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
    /// Whether resuming here neither repeats nor misses a message. False after a message without an id of its own was put into the buffer,
    /// until a message with an id follows.
    /// </summary>
    public bool IsExact => Volatile.Read(ref _isExact);

    /// <summary>
    /// Whether a gap was announced and the message after it has not arrived yet. Stored here because that message may arrive on another
    /// connection. Used by the connection loop only.
    /// </summary>
    public bool IsBeforeGap { get; set; }

    /// <summary>Moves past messages that were put into the buffer. Returns whether one of them had an id of its own.</summary>
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

    /// <summary>Moves to an id in UTF-8; an empty one clears the cursor.</summary>
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
