using System.Globalization;
using System.Net;
using Perennial.Http;
using Perennial.Wire;

namespace Perennial.Sse;

/// <summary>A response that is an event stream.</summary>
internal sealed class SseConnection : ResponseConnection
{
    private readonly SseEventParser _parser;
    private readonly MessageClassifier _classify;

    public SseConnection(HttpResponseMessage response, Stream body, HttpExchange http, SseTransportOptions options, ConnectContext context)
        : base(response, body, http, context)
    {
        _parser = new SseEventParser(options.MaxMessageBytes, context.LastEventId);
        _classify = options.Classify ?? (SpeaksPerennial ? JsonConventions.ClassifyPassingErrors : SseConventions.Classify);
        UseDialect();
    }

    /// <summary>
    /// Creates the connection that reads a response. If the content type does not name a format, the first bytes determine it.
    /// </summary>
    /// <exception cref="TransportException">The response is not an event stream.</exception>
    public static ResponseConnection For(
        HttpResponseMessage response, Stream body, HttpExchange http, SseTransportOptions options, ConnectContext context)
    {
        // "HTTP 204 No Content" tells a client to stop reconnecting (HTML standard, section 9.2.3). The base class ends the stream.
        if (response.StatusCode == HttpStatusCode.NoContent)
        {
            return new SseConnection(response, body, http, options, context);
        }

        ThrowIfNotEventStream(response);
        return ProtocolHeaders.IsUntyped(response)
            ? new SniffedConnection(response, body, http, context, format => format == BodyFormat.EventStream
                ? new SseConnection(response, body, http, options, context)
                : throw UnexpectedType(response, " and a body that does not start as an event stream"))
            : new SseConnection(response, body, http, options, context);
    }

    public override bool HasId => _parser.HasId;

    public override bool HasDelivered => _parser.HasDispatched;

    public override StreamSignal Classify(in StreamMessage message) => Classify(in message, _classify);

    public override ValueTask DisposeAsync()
    {
        _parser.Release();
        return base.DisposeAsync();
    }

    public override void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch) => _parser.Parse(bytes, batch);

    private static void ThrowIfNotEventStream(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new TransportException(
                TransportErrorCode.HttpStatus,
                string.Create(CultureInfo.InvariantCulture, $"The server answered {(int)response.StatusCode}, which is not a stream."))
            {
                HttpStatus = response.StatusCode,
            };
        }

        if (!ProtocolHeaders.IsUntyped(response) && !string.Equals(ProtocolHeaders.MediaType(response), MediaTypes.EventStream, StringComparison.OrdinalIgnoreCase))
        {
            throw UnexpectedType(response, "");
        }
    }

    private static TransportException UnexpectedType(HttpResponseMessage response, string details) => new(
        TransportErrorCode.UnexpectedContentType,
        $"The server answered with {ProtocolHeaders.MediaType(response) ?? "no content type"}{details}; {MediaTypes.EventStream} is required.");
}
