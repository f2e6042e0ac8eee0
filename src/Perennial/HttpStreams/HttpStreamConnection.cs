using Perennial.Http;
using Perennial.Sse;

namespace Perennial.HttpStreams;

/// <summary>A response that is a stream of JSON lines or of raw chunks.</summary>
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
        if (_lines is not null)
        {
            UseDialect();
        }

        _largestPiece = options.MaxMessageBytes;
        _resumesAfterId = context.LastEventId is not null;
    }

    /// <summary>
    /// Creates the connection that reads a response. If the content type does not name a format, the first bytes determine it.
    /// </summary>
    /// <exception cref="TransportException">The transport does not read the response's content type.</exception>
    public static ResponseConnection For(
        HttpResponseMessage response, Stream body, HttpExchange http, HttpStreamTransportOptions options, ConnectContext context)
    {
        if (options.Framing == StreamFraming.Raw)
        {
            return new HttpStreamConnection(response, body, http, options, context);
        }

        JsonContent.ThrowIfOther(response);
        return ProtocolHeaders.IsUntyped(response)
            ? new SniffedConnection(response, body, http, context, format => format switch
            {
                BodyFormat.EventStream => new SseConnection(response, body, http, new SseTransportOptions(options), context),
                BodyFormat.Other when options.AllowPlainText =>
                    new HttpStreamConnection(response, body, http, options with { Framing = StreamFraming.Raw }, context),
                // JSON lines, and any other body: a line that is not JSON becomes a malformed message, which a reader can see.
                _ => new HttpStreamConnection(response, body, http, options, context),
            })
            : new HttpStreamConnection(response, body, http, options, context);
    }

    /// <summary>Raw bytes have no end marker.</summary>
    public override bool AlwaysMarksEnd => _lines is not null && SpeaksPerennial;

    /// <summary>Whether a line had an id, or the stream was resumed after the id of an earlier connection.</summary>
    public override bool HasId => _lines is not null && (_lines.HasId || _resumesAfterId);

    public override bool HasDelivered => _lines?.HasDelivered ?? _hasRawDelivered;

    public override StreamSignal Classify(in StreamMessage message) => Classify(in message, _classify);

    public override ValueTask DisposeAsync()
    {
        _lines?.Release();
        return base.DisposeAsync();
    }

    public override void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        if (_lines is not null)
        {
            _lines.Parse(bytes, batch);
            return;
        }

        _hasRawDelivered |= !bytes.IsEmpty;
        for (; bytes.Length > _largestPiece; bytes = bytes[_largestPiece..])
        {
            batch.AddChunk(bytes[.._largestPiece]);
        }

        if (!bytes.IsEmpty)
        {
            batch.AddChunk(bytes);
        }
    }

    public override void ParseEnd(MessageBatch batch) => _lines?.ParseEnd(batch);

    /// <summary>
    /// The classifier for the framing. Raw bytes have no conventions. If the server marks the end itself, only errors are recognized.
    /// </summary>
    private MessageClassifier Convention(StreamFraming framing) => framing switch
    {
        StreamFraming.Raw => static (in StreamMessage _) => StreamSignal.None,
        _ when SpeaksPerennial => JsonConventions.ClassifyPassingErrors,
        _ => JsonConventions.ClassifyResponse,
    };
}
