using System.Buffers;
using System.Net;
using System.Runtime.CompilerServices;
using Perennial.Wire;

namespace Perennial.Http;

/// <summary>An HTTP response that is a stream: reading, resuming, sending and stopping. A subclass parses the format.</summary>
internal abstract class ResponseConnection : TransportConnection
{
    private const int BlockSize = 32 * 1024;

    /// <summary>
    /// If a read returns fewer bytes than this, the next one will probably wait. It then starts with an empty read, so that no buffer is
    /// held while it waits.
    /// </summary>
    private const int BusyRead = 2 * 1024;

    /// <summary>
    /// Reads that complete at once are delivered together, up to this number of bytes, so that the reader wakes up once for all of them.
    /// </summary>
    private const int LargestBatch = 64 * 1024;

    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly HttpExchange _http;
    private readonly bool _hasDeliveredBefore;
    private StreamDialect? _dialect;        // null if the format of the body has no dialects
    private byte[]? _block;
    private ValueTask<int>? _pending;       // a read in progress; the next call continues it
    private TransportException? _fault;     // detected after valid messages, which are delivered first

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

    public override bool NeedsEndMarker => AlwaysMarksEnd || _dialect is { IsUnfinished: true };

    public sealed override bool SendsAreRepeatable => _http.PostsAreRepeatable;

    /// <summary>
    /// Lets the dialect of the stream decide what messages mean. Called by the constructor of a subclass whose format has dialects. Does
    /// nothing if the server announced Perennial's protocol.
    /// </summary>
    protected void UseDialect()
    {
        if (!SpeaksPerennial)
        {
            _dialect = _http.Dialect;
            _dialect.Begin(_response);
        }
    }

    /// <summary>
    /// Classifies a message by Perennial's control events; if it is none of them, by the dialect; without a dialect, by the conventions.
    /// </summary>
    protected StreamSignal Classify(in StreamMessage message, MessageClassifier conventions)
    {
        var control = SpeaksPerennial ? ControlEvents.Classify(in message) : StreamSignal.None;
        if (control != StreamSignal.None)
        {
            return control;
        }

        return _dialect is { MayDecide: true } dialect ? dialect.Classify(in message) ?? conventions(in message) : conventions(in message);
    }

    /// <summary>Whether the server announced Perennial's protocol (docs/protocol.md).</summary>
    protected bool SpeaksPerennial { get; }

    /// <summary>Whether there is an id to resume after.</summary>
    public abstract bool HasId { get; }

    /// <summary>Whether this response contained a message.</summary>
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
                _block = ArrayPool<byte>.Shared.Rent(BlockSize);        // there are bytes to read, or the end
            }
            else if (!TryTake(count, batch))
            {
                return count == 0 ? ReadOutcome.EndOfStream : ReadOutcome.More;
            }
        }
    }

    public sealed override async ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        await _http.PostAsync(message, cancellationToken).ConfigureAwait(false);
        return SendOutcome.Acknowledged;
    }

    /// <summary>Sends a DELETE (docs/protocol.md). A server that did not announce the protocol might delete the resource instead.</summary>
    public sealed override async ValueTask StopAsync(CancellationToken cancellationToken)
    {
        if (!SpeaksPerennial)
        {
            throw new NotSupportedException(
                "This server does not announce that a stream can be stopped. Close the transport to stop reading.");
        }

        await _http.StopAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The transport has cancelled the read before, which ends the connection at once. Disposing the response alone would take longer.
    /// </summary>
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
                // The result of the read is no longer needed.
            }
        }

        _response.Dispose();
        ReleaseBlock();
    }

    /// <summary>Parses bytes, and adds the messages that they complete.</summary>
    public abstract void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch);

    /// <summary>Parses the end of the response, and adds the messages that it completes.</summary>
    public virtual void ParseEnd(MessageBatch batch)
    {
    }

    /// <summary>
    /// "HTTP 204 No Content" tells a client to stop reconnecting (HTML standard, section 9.2.3): the stream is over. A server that speaks
    /// Perennial's protocol also sends the state in which it ended.
    /// </summary>
    private ReadOutcome MeaningOfNoContent() => ProtocolHeaders.Status(_response) switch
    {
        StatusNames.Stopped => ReadOutcome.Stopped,
        StatusNames.Failed => throw new TransportException(TransportErrorCode.ServerFailed, "The run failed on the server some time ago."),
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

    private void ThrowIfFaulty()
    {
        if (_fault is not null)
        {
            throw _fault;
        }
    }

    /// <summary>
    /// Returns the read in progress, or starts one. If the read fails, awaiting it throws, after the earlier bytes were handled.
    /// </summary>
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

    /// <summary>
    /// Parses the bytes of a read. Returns false at the end of the response, and if a fault follows messages that must be delivered first.
    /// </summary>
    private bool TryTake(int count, MessageBatch batch)
    {
        if (count == 0)
        {
            ParseEnd(batch);
            return false;
        }

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
