namespace Perennial;

/// <summary>
/// Memory for the bytes of messages. Messages are written one after the other into blocks that grow with traffic, so that a message uses
/// only its own bytes and an idle stream almost none. A block is never reused; the garbage collector frees it after its last message.
/// </summary>
internal sealed class MessageArena
{
    private const int FirstBlockSize = 128;
    private const int LargestBlockSize = 32 * 1024;

    private byte[] _block = [];
    private int _start;
    private int _end;
    private int _nextBlockSize = FirstBlockSize;

    /// <summary>The number of bytes appended since the last <see cref="Commit"/>.</summary>
    public int PendingLength => _end - _start;

    /// <summary>The bytes appended since the last <see cref="Commit"/>.</summary>
    public ReadOnlySpan<byte> Pending => _block.AsSpan(_start, PendingLength);

    /// <summary>The block that holds the pending bytes.</summary>
    public byte[] Block => _block;

    /// <summary>Appends to the pending bytes, keeping them contiguous and leaving room for <paramref name="more"/> bytes to come.</summary>
    public void Append(ReadOnlySpan<byte> bytes, int more = 0)
    {
        if (bytes.Length + more > _block.Length - _end)
        {
            MoveToNewBlock(bytes.Length + more);
        }

        bytes.CopyTo(_block.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>
    /// Completes the pending bytes. Returns their block and their start in it; the arena does not change them afterwards.
    /// </summary>
    public (byte[] Block, int Start) Commit()
    {
        var start = _start;
        _start = _end;
        return (_block, start);
    }

    /// <summary>Discards the pending bytes.</summary>
    public void Discard() => _end = _start;

    private void MoveToNewBlock(int room)
    {
        var pending = _block.AsSpan(_start, PendingLength);
        var needed = pending.Length + room;
        var doubled = (int)Math.Min(pending.Length * 2L, Array.MaxLength);   // for a message that arrives in lines
        var size = Math.Max(_nextBlockSize, Math.Max(needed, doubled));
        _nextBlockSize = Math.Min(_nextBlockSize * 2, LargestBlockSize);
        var block = GC.AllocateUninitializedArray<byte>(size);
        pending.CopyTo(block);
        _end = pending.Length;
        _start = 0;
        _block = block;
    }
}
