using System.Buffers;
using System.Net;
using System.Runtime.CompilerServices;

namespace Perennial.Http;

/// <summary>One HTTP response that is a stream, whatever its format: reading, resumption, sends and stop. The subclass knows the format.</summary>
internal abstract class ResponseConnection : TransportConnection
{
    private const int BlockSize = 32 * 1024;

    /// <summary>A read that yields less than this suggests that the next one will wait; no block is held while waiting then.</summary>
    private const int BusyRead = 2 * 1024;

    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly HttpExchange _http;
    private readonly bool _hasDeliveredBefore;
    private byte[]? _block;
    private TransportException? _fault;     // found behind good messages, which are handed over first

    protected ResponseConnection(HttpResponseMessage response, Stream body, HttpExchange http, ConnectContext context)
    {
        _response = response;
        _body = body;
        _http = http;
        _hasDeliveredBefore = context.HasDelivered;
        SpeaksPerennial = ProtocolHeaders.SpeaksPerennial(response);
        LongestSilence = ProtocolHeaders.Heartbeat(response) * 3;
    }

    public sealed override bool CanBeResumed => _http.CanContinue(HasId || !(_hasDeliveredBefore || HasDelivered));

    public sealed override TimeSpan? LongestSilence { get; }

    public override bool AlwaysMarksEnd => SpeaksPerennial;

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
        if (_response.StatusCode == HttpStatusCode.NoContent)
        {
            return MeaningOfNoContent();
        }

        if (_fault is not null)
        {
            throw _fault;
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
        catch (Exception e) when (HttpErrors.IsNetwork(e) || e is InvalidDataException)
        {
            throw HttpErrors.FromBody(e);
        }

        if (count == 0)
        {
            ParseEnd(batch);
            return ReadOutcome.EndOfStream;
        }

        batch.BytesReceived = count;
        try
        {
            Parse(_block.AsSpan(0, count), batch);
        }
        catch (TransportException e) when (batch.Count > 0)
        {
            _fault = e;
        }

        if (count < BusyRead)
        {
            ReleaseBlock();
        }

        return ReadOutcome.More;
    }

    public sealed override async ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        await _http.PostAsync(message, cancellationToken).ConfigureAwait(false);
        return SendOutcome.Acknowledged;
    }

    /// <summary>A DELETE (docs/protocol.md); on a server that did not offer it, it might delete what the stream shows.</summary>
    public sealed override async ValueTask StopAsync(CancellationToken cancellationToken)
    {
        if (!SpeaksPerennial)
        {
            throw new NotSupportedException("This server did not say that a stream can be stopped; closing leaves it.");
        }

        await _http.StopAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The transport has cancelled the read before, which ends the connection at once; disposing alone would take its time.</summary>
    public override ValueTask DisposeAsync()
    {
        _response.Dispose();
        ReleaseBlock();
        return ValueTask.CompletedTask;
    }

    /// <summary>Adds the messages that these bytes complete.</summary>
    protected abstract void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch);

    /// <summary>The response ended in good order: adds what its last bytes amount to.</summary>
    protected virtual void ParseEnd(MessageBatch batch)
    {
    }

    /// <summary>
    /// "HTTP 204 No Content" tells a client to stop reconnecting (HTML standard, 9.2.3): the stream is over, and a server that speaks
    /// Perennial's protocol says how.
    /// </summary>
    private ReadOutcome MeaningOfNoContent() => ProtocolHeaders.Status(_response) switch
    {
        "stopped" => ReadOutcome.Stopped,
        "failed" => throw new TransportException(TransportErrorCode.ServerFailed, "The server failed to go on, some time ago."),
        _ => ReadOutcome.Completed,
    };

    private void ReleaseBlock()
    {
        if (_block is not null)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = null;
        }
    }
}
