using Perennial.Http;

namespace Perennial.Sse;

/// <summary>One response that is an event stream.</summary>
internal sealed class SseConnection : ResponseConnection
{
    private readonly SseEventParser _parser;
    private readonly MessageClassifier _classify;

    public SseConnection(HttpResponseMessage response, Stream body, HttpExchange http, SseTransportOptions options, ConnectContext context)
        : base(response, body, http, context)
    {
        _parser = new SseEventParser(options.MaxMessageBytes, context.LastEventId);
        _classify = options.Classify ?? (SpeaksPerennial ? JsonConventions.ClassifyErrors : SseConventions.Classify);
    }

    protected override bool HasId => _parser.HasId;

    protected override bool HasDelivered => _parser.HasDispatched;

    public override StreamSignal Classify(in StreamMessage message)
    {
        var control = SpeaksPerennial ? ControlEvents.Classify(in message) : StreamSignal.None;
        return control == StreamSignal.None ? _classify(in message) : control;
    }

    public override ValueTask DisposeAsync()
    {
        _parser.Release();
        return base.DisposeAsync();
    }

    protected override void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch) => _parser.Parse(bytes, batch);
}
