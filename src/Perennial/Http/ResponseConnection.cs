using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;

namespace Perennial.Http;

/// <summary>One HTTP response that is a stream, whatever its format: reading, resumption, sends and stop. The subclass knows the format.</summary>
internal abstract class ResponseConnection : TransportConnection
{
    private readonly HttpResponseMessage _response;
    private readonly ResponseBody _body;
    private readonly HttpExchange _http;
    private readonly bool _hasDeliveredBefore;

    protected ResponseConnection(HttpResponseMessage response, Stream body, HttpExchange http, ConnectContext context)
    {
        _response = response;
        _body = new ResponseBody(response, body);
        _http = http;
        _hasDeliveredBefore = context.HasDelivered;
        SpeaksPerennial = response.Headers.NonValidated.Contains("Perennial-Protocol");
        AnnouncedHeartbeat = Heartbeat(response);
    }

    public sealed override bool CanBeResumed => _http.CanContinue(HasId || !(_hasDeliveredBefore || HasDelivered));

    public sealed override TimeSpan? AnnouncedHeartbeat { get; }

    public sealed override bool AlwaysMarksEnd => SpeaksPerennial;

    /// <summary>A POST is recognised by its key.</summary>
    public sealed override bool SendsAreRepeatable => true;

    /// <summary>Whether the server announced Perennial's protocol (docs/protocol.md).</summary>
    protected bool SpeaksPerennial { get; }

    /// <summary>Whether there is an id to resume after.</summary>
    protected abstract bool HasId { get; }

    /// <summary>Whether this response held a message.</summary>
    protected abstract bool HasDelivered { get; }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public sealed override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        // "HTTP 204 No Content" tells a client to stop reconnecting (HTML standard, 9.2.3).
        if (_response.StatusCode == HttpStatusCode.NoContent)
        {
            return ReadOutcome.Completed;
        }

        var bytes = await _body.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (bytes.IsEmpty)
        {
            ParseEnd(batch);
            return ReadOutcome.EndOfStream;
        }

        batch.BytesReceived = bytes.Length;
        Parse(bytes.Span, batch);
        return ReadOutcome.More;
    }

    public sealed override async ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        await _http.PostAsync(message, cancellationToken).ConfigureAwait(false);
        return SendOutcome.Acknowledged;
    }

    public sealed override async ValueTask StopAsync(CancellationToken cancellationToken) =>
        await _http.StopAsync(cancellationToken).ConfigureAwait(false);

    public override ValueTask DisposeAsync()
    {
        _body.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Adds the messages that these bytes complete.</summary>
    protected abstract void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch);

    /// <summary>The response ended in good order: adds what its last bytes amount to.</summary>
    protected virtual void ParseEnd(MessageBatch batch)
    {
    }

    private static TimeSpan? Heartbeat(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Perennial-Heartbeat", out var values)
        && double.TryParse(values.ToString(), CultureInfo.InvariantCulture, out var seconds)
        && seconds is > 0 and < 86_400
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
