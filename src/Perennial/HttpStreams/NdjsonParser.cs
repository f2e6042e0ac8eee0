namespace Perennial.HttpStreams;

/// <summary>
/// Divides bytes into JSON lines, whatever the size of the pieces in which they arrive. Performs no I/O. Does not parse a line, except to
/// check that it can be JSON and to read the envelope of a server that speaks Perennial's protocol. One parser reads one response. Not
/// thread safe.
/// </summary>
/// <param name="maxMessageBytes">The longest line accepted, in bytes, without its line end.</param>
/// <param name="opensEnvelopes">Whether lines are envelopes with id, type and data.</param>
internal sealed class NdjsonParser(int maxMessageBytes, bool opensEnvelopes)
{
    /// <summary>The bytes around a line that are not part of it: a byte order mark, and the CR of its end.</summary>
    private const int FramingAllowance = 4;

    private readonly LineBuffer _line = new();
    private bool _hasBegun;

    /// <summary>Whether a line was delivered.</summary>
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

    /// <summary>Parses the end of the response. A last line counts even without a line end.</summary>
    /// <exception cref="TransportException">The line is longer than allowed.</exception>
    public void ParseEnd(MessageBatch batch)
    {
        ReadLine(_line.Bytes, batch);
        _line.Clear();
    }

    /// <summary>Adds one value whose end the caller has found.</summary>
    /// <exception cref="TransportException">The value is larger than allowed.</exception>
    public void Add(ReadOnlySpan<byte> value, MessageBatch batch)
    {
        ThrowIfTooLarge(value.Length);
        if (opensEnvelopes)
        {
            if (!MessageEnvelope.TryOpen(value, batch, out var hasId))
            {
                batch.AddMalformed(value);
                return;
            }

            HasId |= hasId;
        }
        else if (JsonConventions.MayBeJson(value))
        {
            batch.Add(value);
        }
        else
        {
            batch.AddMalformed(value);
            return;
        }

        HasDelivered = true;
    }

    /// <summary>Returns pooled memory and discards an incomplete line.</summary>
    public void Release() => _line.Release();

    /// <summary>Removes a byte order mark at the start, which RFC 8259, section 8.1, allows a parser to ignore.</summary>
    public static ReadOnlySpan<byte> WithoutByteOrderMark(ReadOnlySpan<byte> bytes) =>
        bytes is [0xEF, 0xBB, 0xBF, .. var rest] ? rest : bytes;

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        ThrowIfTooLarge(_line.Length + bytes.Length - FramingAllowance);
        _line.Append(bytes);
    }

    private void ReadLine(ReadOnlySpan<byte> line, MessageBatch batch)
    {
        if (!_hasBegun)
        {
            _hasBegun = true;
            line = WithoutByteOrderMark(line);
        }

        if (line is [.. var content, (byte)'\r'])
        {
            line = content;
        }

        ThrowIfTooLarge(line.Length);
        if (line is [<= (byte)' ', ..] or [.., <= (byte)' '])
        {
            line = line.Trim(" \t\r"u8);
        }

        if (!line.IsEmpty)
        {
            Add(line, batch);
        }
    }

    private void ThrowIfTooLarge(int length)
    {
        if (length > maxMessageBytes)
        {
            ThrowTooLarge();
        }
    }

    private void ThrowTooLarge() =>
        throw new TransportException(
            TransportErrorCode.MessageTooLarge, $"A line is larger than MaxMessageBytes ({maxMessageBytes} bytes).");
}
