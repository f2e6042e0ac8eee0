namespace Perennial.HttpStreams;

/// <summary>
/// Divides bytes into lines of JSON, whatever the pieces they come in. Touches no I/O. What a line holds is not its business, but for
/// the envelope of a server that speaks Perennial's protocol. One parser reads one response; not thread safe.
/// </summary>
/// <param name="maxMessageBytes">The longest line accepted.</param>
/// <param name="opensEnvelopes">Whether lines are envelopes that hold id, type and data.</param>
internal sealed class NdjsonParser(int maxMessageBytes, bool opensEnvelopes)
{
    private readonly LineBuffer _line = new();

    /// <summary>Whether a line was handed over.</summary>
    public bool HasDelivered { get; private set; }

    /// <summary>Whether a line had an id.</summary>
    public bool HasId { get; private set; }

    /// <summary>Reads the next bytes and adds the lines they complete to the batch.</summary>
    /// <exception cref="TransportException">A line is longer than allowed.</exception>
    public void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            if (_line.Length == 0)
            {
                ReadLine(bytes[..end], batch);
            }
            else
            {
                Keep(bytes[..end]);
                ReadLine(_line.Bytes, batch);
                _line.Clear();
            }

            bytes = bytes[(end + 1)..];
        }

        Keep(bytes);
    }

    /// <summary>At an end in good order a last line counts although nothing ends it.</summary>
    public void ParseEnd(MessageBatch batch)
    {
        ReadLine(_line.Bytes, batch);
        _line.Clear();
    }

    /// <summary>Gives pooled memory back, and forgets a line that has begun.</summary>
    public void Release() => _line.Release();

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        ThrowIfTooLarge(_line.Length + bytes.Length);
        _line.Append(bytes);
    }

    private void ReadLine(ReadOnlySpan<byte> line, MessageBatch batch)
    {
        line = line.Trim(" \t\r"u8);
        if (line.IsEmpty)
        {
            return;
        }

        ThrowIfTooLarge(line.Length);
        HasDelivered = true;
        var hasId = false;
        if (!opensEnvelopes || !MessageEnvelope.TryOpen(line, batch, out hasId))
        {
            batch.Add(line);
        }

        HasId |= hasId;
    }

    private void ThrowIfTooLarge(int length)
    {
        if (length > maxMessageBytes)
        {
            throw new TransportException(
                TransportErrorCode.MessageTooLarge, $"A line is larger than MaxMessageBytes ({maxMessageBytes} bytes).");
        }
    }
}
