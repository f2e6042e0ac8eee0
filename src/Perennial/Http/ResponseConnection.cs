using System.Buffers;
using System.Net;
using System.Runtime.CompilerServices;
using Perennial.Wire;

namespace Perennial.Http;

/// <summary>One HTTP response that is a stream, whatever its format: reading, resumption, sends and stop. The subclass knows the format.</summary>
internal abstract class ResponseConnection : TransportConnection
{
    private const int BlockSize = 32 * 1024;

    /// <summary>A read that yields less than this suggests that the next one will wait; no block is held while waiting then: an empty read waits.</summary>
    private const int BusyRead = 2 * 1024;

    /// <summary>Reads that need not wait are handed over together, up to so many bytes: one wake-up of the reader for all of them.</summary>
    private const int LargestBatch = 64 * 1024;

    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly HttpExchange _http;
    private readonly bool _hasDeliveredBefore;
    private byte[]? _block;
    private ValueTask<int>? _pending;       // a read that has begun, for the next call
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

    public sealed override Uri? GetResumeEndpoint(Uri endpoint) => _http.ResumeEndpoint;

    public override bool AlwaysMarksEnd => SpeaksPerennial;

    public sealed override bool SendsAreRepeatable => _http.PostsAreRepeatable;

    /// <summary>Whether the server announced Perennial's protocol (docs/protocol.md).</summary>
    protected bool SpeaksPerennial { get; }

    /// <summary>Whether there is an id to resume after.</summary>
    public abstract bool HasId { get; }

    /// <summary>Whether this response held a message.</summary>
    public abstract bool HasDelivered { get; }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public sealed override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        if (_response.StatusCode == HttpStatusCode.NoContent)
        {
            return MeaningOfNoContent();
        }

        ThrowIfFaulty();
        while (true)
        {
            var read = TakePending(cancellationToken);
            if (batch.BytesReceived >= LargestBatch || (batch.BytesReceived > 0 && !read.IsCompletedSuccessfully))
            {
                _pending = read;
                return ReadOutcome.More;
            }

            int count;
            try
            {
                count = await read.ConfigureAwait(false);
            }
            catch (Exception e) when (HttpErrors.IsNetwork(e) || e is InvalidDataException)
            {
                throw HttpErrors.FromBody(e);
            }

            if (_block is null)
            {
                _block = ArrayPool<byte>.Shared.Rent(BlockSize);        // there is something to read, be it the end
            }
            else if (count == 0)
            {
                ParseEnd(batch);
                return ReadOutcome.EndOfStream;
            }
            else if (!TryTake(count, batch))
            {
                return ReadOutcome.More;
            }
        }
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
    public override async ValueTask DisposeAsync()
    {
        if (_pending is { } read)
        {
            _pending = null;
            try
            {
                await read.ConfigureAwait(false);
            }
            catch (Exception)
            {
                // Nobody waits for it any more.
            }
        }

        _response.Dispose();
        ReleaseBlock();
    }

    /// <summary>Adds the messages that these bytes complete.</summary>
    public abstract void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch);

    /// <summary>The response ended in good order: adds what its last bytes amount to.</summary>
    public virtual void ParseEnd(MessageBatch batch)
    {
    }

    /// <summary>
    /// "HTTP 204 No Content" tells a client to stop reconnecting (HTML standard, 9.2.3): the stream is over, and a server that speaks
    /// Perennial's protocol says how.
    /// </summary>
    private ReadOutcome MeaningOfNoContent() => ProtocolHeaders.Status(_response) switch
    {
        StatusNames.Stopped => ReadOutcome.Stopped,
        StatusNames.Failed => throw new TransportException(TransportErrorCode.ServerFailed, "The server failed to go on, some time ago."),
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

    /// <summary>The read that has begun, or a new one. It fails when it is waited for, behind what was read before it.</summary>
    private void ThrowIfFaulty()
    {
        if (_fault is not null)
        {
            throw _fault;
        }
    }

    private ValueTask<int> TakePending(CancellationToken cancellationToken)
    {
        if (_pending is { } read)
        {
            _pending = null;
            return read;
        }

        try
        {
            return _body.ReadAsync(_block ?? Memory<byte>.Empty, cancellationToken);
        }
        catch (Exception e)
        {
            return ValueTask.FromException<int>(e);
        }
    }

    /// <summary>Parses what was read. False where a fault stands behind messages that are to be handed over first.</summary>
    private bool TryTake(int count, MessageBatch batch)
    {
        batch.BytesReceived += count;
        try
        {
            Parse(_block.AsSpan(0, count), batch);
        }
        catch (TransportException e) when (batch.Count > 0)
        {
            _fault = e;
            return false;
        }

        if (count < BusyRead)
        {
            ReleaseBlock();
        }

        return true;
    }
}
