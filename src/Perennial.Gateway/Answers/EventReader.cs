using Perennial.Sse;

namespace Perennial.Gateway.Answers;

/// <summary>Splits the bytes of a stream into events. Performs no I/O. Used by one caller.</summary>
internal abstract class EventReader
{
    /// <summary>Reads the next bytes, and adds the events that they complete.</summary>
    /// <exception cref="TransportException">An event is larger than allowed.</exception>
    public abstract void Read(ReadOnlySpan<byte> bytes, MessageBatch batch);

    /// <summary>Adds the last event if the end of the body completes it.</summary>
    /// <returns>False if the body ended inside an event.</returns>
    public abstract bool Finish(MessageBatch batch);

    /// <summary>Returns pooled memory.</summary>
    public abstract void Release();
}

/// <summary>Reads server-sent events.</summary>
internal sealed class SseReader(int maxBytes) : EventReader
{
    private readonly SseEventParser _parser = new(maxBytes, lastEventId: null);
    private bool _isAtLineEnd = true;

    public override void Read(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        _parser.Parse(bytes, batch);
        _isAtLineEnd = bytes[^1] is (byte)'\n' or (byte)'\r';
    }

    // Some servers leave out the blank line after the last event. An event that ends inside a line was cut.
    public override bool Finish(MessageBatch batch)
    {
        if (_isAtLineEnd)
        {
            _parser.Parse("\n\n"u8, batch);     // the first may belong to a CR
        }

        return _isAtLineEnd;
    }

    public override void Release() => _parser.Release();
}

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
