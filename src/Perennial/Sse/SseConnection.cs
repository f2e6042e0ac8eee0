using System.Buffers;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Perennial.Http;

namespace Perennial.Sse;

/// <summary>One response that is an event stream.</summary>
internal sealed class SseConnection : TransportConnection
{
    private const int BlockSize = 32 * 1024;

    /// <summary>A read that yields less than this suggests that the next one will wait; no block is held while waiting then.</summary>
    private const int BusyRead = 2 * 1024;

    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly HttpExchange _http;
    private readonly MessageClassifier _classify;
    private readonly SseEventParser _parser;
    private readonly bool _hasDeliveredBefore;
    private readonly bool _speaksPerennial;
    private byte[]? _block;

    public SseConnection(HttpResponseMessage response, Stream body, HttpExchange http, SseTransportOptions options, ConnectContext context)
    {
        _response = response;
        _body = body;
        _http = http;
        _parser = new SseEventParser(options.MaxMessageBytes, context.LastEventId);
        _hasDeliveredBefore = context.HasDelivered;
        _speaksPerennial = response.Headers.NonValidated.Contains("Perennial-Protocol");
        _classify = options.Classify ?? (_speaksPerennial ? SseConventions.ClassifyErrors : SseConventions.Classify);
        AnnouncedHeartbeat = Heartbeat(response);
    }

    public override bool CanBeResumed => _http.CanContinue(_parser.HasId || !(_hasDeliveredBefore || _parser.HasDispatched));

    public override TimeSpan? AnnouncedHeartbeat { get; }

    public override bool AlwaysMarksEnd => _speaksPerennial;

    /// <summary>A POST is recognised by its key.</summary>
    public override bool SendsAreRepeatable => true;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        if (_response.StatusCode == HttpStatusCode.NoContent)
        {
            return ReadOutcome.Completed;
        }

        int count;
        try
        {
            if (_block is null)
            {
                await _body.ReadAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
                _block = ArrayPool<byte>.Shared.Rent(BlockSize);
            }

            count = await _body.ReadAsync(_block, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or InvalidDataException)
        {
            throw HttpErrors.FromBody(e);
        }

        if (count == 0)
        {
            return ReadOutcome.EndOfStream;
        }

        batch.BytesReceived = count;
        _parser.Parse(_block.AsSpan(0, count), batch);
        if (count < BusyRead)
        {
            ReleaseBlock();
        }

        return ReadOutcome.More;
    }

    public override StreamSignal Classify(in StreamMessage message)
    {
        var control = _speaksPerennial ? SseConventions.ClassifyControl(in message) : StreamSignal.None;
        return control == StreamSignal.None ? _classify(in message) : control;
    }

    public override async ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        await _http.PostAsync(message, cancellationToken).ConfigureAwait(false);
        return SendOutcome.Acknowledged;
    }

    public override async ValueTask StopAsync(CancellationToken cancellationToken) => await _http.StopAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>The transport has cancelled the read before, which ends the connection at once; disposing alone would take its time.</summary>
    public override ValueTask DisposeAsync()
    {
        _response.Dispose();
        _parser.Release();
        ReleaseBlock();
        return ValueTask.CompletedTask;
    }

    private void ReleaseBlock()
    {
        if (_block is not null)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = null;
        }
    }

    private static TimeSpan? Heartbeat(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Perennial-Heartbeat", out var values)
        && double.TryParse(values.ToString(), CultureInfo.InvariantCulture, out var seconds)
        && seconds is > 0 and < 86_400
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
