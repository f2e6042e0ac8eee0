using Perennial.Sse;

namespace Perennial.Gateway.Answers;

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
