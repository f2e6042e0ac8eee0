using System.Text;

namespace Perennial.Engine;

/// <summary>
/// An id, and the position in the stream from which it applies: the number of messages before it. Used under the buffer's lock.
/// </summary>
internal sealed class PlacedId
{
    private byte[] _id = [];
    private int _length;

    /// <summary>0 until an id was set.</summary>
    public long Place { get; private set; }

    /// <summary>The id. <see langword="null"/> if it is empty or was never set.</summary>
    public string? Id => _length == 0 ? null : Encoding.UTF8.GetString(_id, 0, _length);

    public void Set(ReadOnlySpan<byte> id, long place)
    {
        if (_id.Length < id.Length)
        {
            _id = new byte[id.Length];
        }

        id.CopyTo(_id);
        (_length, Place) = (id.Length, place);
    }
}
