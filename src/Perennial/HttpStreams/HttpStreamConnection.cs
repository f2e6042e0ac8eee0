using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>One response that is a stream of JSON lines or of raw chunks.</summary>
internal sealed class HttpStreamConnection : ResponseConnection
{
    private readonly NdjsonParser? _lines;
    private readonly MessageClassifier _classify;
    private bool _hasRawDelivered;

    public HttpStreamConnection(
        HttpResponseMessage response, Stream body, HttpExchange http, HttpStreamTransportOptions options, ConnectContext context)
        : base(response, body, http, context)
    {
        _lines = options.Framing == StreamFraming.Ndjson ? new NdjsonParser(options.MaxMessageBytes, SpeaksPerennial) : null;
        _classify = options.Classify ?? Convention(options.Framing);
    }

    protected override bool HasId => _lines is { HasId: true };

    protected override bool HasDelivered => _lines?.HasDelivered ?? _hasRawDelivered;

    public override StreamSignal Classify(in StreamMessage message)
    {
        var control = SpeaksPerennial ? ControlEvents.Classify(in message) : StreamSignal.None;
        return control != StreamSignal.None ? control
            : _lines is null || SpeaksPerennial || JsonConventions.MayBeJson(message.Data.Span) ? _classify(in message)
            : StreamSignal.Malformed;
    }

    public override ValueTask DisposeAsync()
    {
        _lines?.Release();
        return base.DisposeAsync();
    }

    protected override void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        if (_lines is null)
        {
            batch.Add(bytes);
            _hasRawDelivered = true;
        }
        else
        {
            _lines.Parse(bytes, batch);
        }
    }

    protected override void ParseEnd(MessageBatch batch) => _lines?.ParseEnd(batch);

    /// <summary>Raw bytes mean nothing beyond themselves; against a server that marks the end itself, only errors do.</summary>
    private MessageClassifier Convention(StreamFraming framing) => framing switch
    {
        StreamFraming.Raw => static (in StreamMessage _) => StreamSignal.None,
        _ when SpeaksPerennial => JsonConventions.ClassifyErrors,
        _ => JsonConventions.Classify,
    };
}
