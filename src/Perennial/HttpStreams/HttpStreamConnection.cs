using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>One response that is a stream of JSON lines or of raw chunks.</summary>
internal sealed class HttpStreamConnection : ResponseConnection
{
    private readonly NdjsonParser? _lines;
    private readonly MessageClassifier _classify;
    private readonly int _largestPiece;
    private readonly bool _resumesAfterId;
    private bool _hasRawDelivered;

    public HttpStreamConnection(
        HttpResponseMessage response, Stream body, HttpExchange http, HttpStreamTransportOptions options, ConnectContext context)
        : base(response, body, http, context)
    {
        _lines = options.Framing == StreamFraming.Ndjson ? new NdjsonParser(options.MaxMessageBytes, SpeaksPerennial) : null;
        _classify = options.Classify ?? Convention(options.Framing);
        _largestPiece = options.MaxMessageBytes;
        _resumesAfterId = context.LastEventId is not null;
    }

    /// <summary>Raw bytes cannot say that they are all.</summary>
    public override bool AlwaysMarksEnd => _lines is not null && SpeaksPerennial;

    protected override bool HasId => _lines is not null && (_lines.HasId || _resumesAfterId);

    protected override bool HasDelivered => _lines?.HasDelivered ?? _hasRawDelivered;

    public override StreamSignal Classify(in StreamMessage message)
    {
        if (message.IsMalformed)
        {
            return StreamSignal.Malformed;
        }

        var control = SpeaksPerennial ? ControlEvents.Classify(in message) : StreamSignal.None;
        return control == StreamSignal.None ? _classify(in message) : control;
    }

    public override ValueTask DisposeAsync()
    {
        _lines?.Release();
        return base.DisposeAsync();
    }

    protected override void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        if (_lines is not null)
        {
            _lines.Parse(bytes, batch);
            return;
        }

        _hasRawDelivered = true;
        for (; bytes.Length > _largestPiece; bytes = bytes[_largestPiece..])
        {
            batch.Add(bytes[.._largestPiece]);
        }

        batch.Add(bytes);
    }

    protected override void ParseEnd(MessageBatch batch) => _lines?.ParseEnd(batch);

    /// <summary>Raw bytes mean nothing beyond themselves; against a server that marks the end itself, only errors do.</summary>
    private MessageClassifier Convention(StreamFraming framing) => framing switch
    {
        StreamFraming.Raw => static (in StreamMessage _) => StreamSignal.None,
        _ when SpeaksPerennial => JsonConventions.ClassifyErrors,
        _ => JsonConventions.ClassifyResponse,
    };
}
