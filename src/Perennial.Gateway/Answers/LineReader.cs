namespace Perennial.Gateway.Answers;

/// <summary>Reads lines. Blank lines are no events.</summary>
internal sealed class LineReader(int maxBytes) : EventReader
{
    private readonly LineBuffer _line = new();

    public override void Read(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        for (int end; (end = bytes.IndexOf((byte)'\n')) >= 0; bytes = bytes[(end + 1)..])
        {
            if (_line.Length == 0)
            {
                Add(bytes[..end], batch);
                continue;
            }

            Keep(bytes[..end]);
            Add(_line.Bytes, batch);
            _line.Clear();
        }

        Keep(bytes);
    }

    // The last line may lack its line feed. A line that is not JSON was cut.
    public override bool Finish(MessageBatch batch)
    {
        var line = _line.Bytes.Trim(" \t\r"u8);
        var isWhole = line.IsEmpty || JsonConventions.MayBeJson(line);
        if (isWhole)
        {
            Add(line, batch);
        }

        _line.Clear();
        return isWhole;
    }

    public override void Release() => _line.Release();

    private void Keep(ReadOnlySpan<byte> part)
    {
        ThrowIfTooLarge(_line.Length + part.Length);
        _line.Append(part);
    }

    private void Add(ReadOnlySpan<byte> line, MessageBatch batch)
    {
        line = line.Trim(" \t\r"u8);
        ThrowIfTooLarge(line.Length);
        if (!line.IsEmpty)
        {
            batch.Add(line);
        }
    }

    private void ThrowIfTooLarge(int length)
    {
        if (length > maxBytes)
        {
            throw new TransportException(TransportErrorCode.MessageTooLarge, $"A line is larger than MaxEventBytes ({maxBytes} bytes).");
        }
    }
}
