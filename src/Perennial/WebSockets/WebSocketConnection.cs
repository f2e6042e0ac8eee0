using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;

namespace Perennial.WebSockets;

/// <summary>
/// One WebSocket, or another socket with the same messages. A subclass interprets its messages. Whenever there is no message to deliver, a
/// receive is pending, so that pings are answered even if the application does not read. A receive is never cancelled, because that would
/// abort the socket; closing the socket ends it.
/// </summary>
internal abstract class WebSocketConnection : TransportConnection, ISocketOwner
{
    private const int BlockSize = 16 * 1024;
    private const int LargestBatch = 256;
    private static readonly TimeSpan GoodbyeLimit = CloseLimit * 0.75;      // leaves time to tidy up

    private readonly DuplexStream _stream;
    private readonly WebSocket _socket;
    private readonly WebSocketHeartbeat _heartbeat;
    private readonly MessageArena _arena = new();       // the message being received is its pending bytes
    private readonly Lock _gate = new();
    private CancellationTokenRegistration _leaving;
    private Task? _closing;                             // the close in progress; set once, under the lock
    private ITimer? _abort;                             // set when the close begins
    private ValueTask<ValueWebSocketReceiveResult>? _pending;
    private byte[]? _block;
    private bool _hasSpoken;                            // the peer's first message has arrived
    private bool _isInMessage;                          // a message has begun, so the next receive will not wait long
    private TransportException? _fault;                 // detected after valid messages, which are delivered first
    private long _bytes;

    [SuppressMessage("Reliability", "CA2012", Justification = "The pending receive is awaited once.")]
    protected WebSocketConnection(Stream upgraded, SocketSettings settings)
    {
        Settings = settings;
        _stream = new DuplexStream(upgraded, this);
        _socket = settings.Framing.Open(_stream);
        Sender = new WebSocketSender(_socket);
        _heartbeat = new WebSocketHeartbeat(settings.Heartbeat, settings.Time, this);
        _pending = Receive();       // the transport may be paused from the start
    }

    public override TimeSpan? LongestSilence => Settings.Heartbeat.IsOn ? Settings.Heartbeat.LongestSilence : null;

    protected SocketSettings Settings { get; }

    protected WebSocketSender Sender { get; }

    /// <summary>The close code that this side chose, if it closes because of an error.</summary>
    protected WebSocketCloseStatus? ChosenCloseStatus { get; set; }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        BeginReading(cancellationToken);
        var isFirst = false;        // the peer's first message ends a read, even without content: it proves that the protocol works
        try
        {
            while (true)
            {
                var receive = TakePending();
                if (batch.Count == LargestBatch || (!batch.IsEmpty && !receive.IsCompletedSuccessfully) || isFirst)
                {
                    _pending = receive;     // a receive is always pending
                    break;
                }

                var result = await receive.ConfigureAwait(false);
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    return EndAtClose(result, batch, cancellationToken);
                }

                isFirst = Take(result, batch);
            }
        }
        catch (TransportException e) when (!batch.IsEmpty)
        {
            _fault = e;
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw WebSocketErrors.FromReceive(e);
        }

        return EndRead(batch);
    }

    public override async ValueTask DisposeAsync()
    {
        await CloseSocketAsync().ConfigureAwait(false);
        await WaitForPeerAsync().ConfigureAwait(false);
        await _leaving.DisposeAsync().ConfigureAwait(false);
        if (_abort is not null)
        {
            await _abort.DisposeAsync().ConfigureAwait(false);
        }

        await _heartbeat.DisposeAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _stream.DisposeAsync().ConfigureAwait(false);
        ReleaseBlock();
    }

    /// <summary>Adds the messages that a complete WebSocket message contains, and removes it from the arena.</summary>
    /// <param name="message">The pending bytes are the message.</param>
    /// <param name="isBinary">Whether it is a binary message.</param>
    /// <param name="batch">The batch to add to.</param>
    /// <exception cref="TransportException">The peer violated the protocol.</exception>
    protected abstract void Add(MessageArena message, bool isBinary, MessageBatch batch);

    /// <summary>Whether another attempt may succeed after the peer closed with this code.</summary>
    protected abstract bool MayPass(int closeCode);

    /// <inheritdoc/>
    public virtual async Task PingAsync()
    {
        try
        {
            if (_socket.State == WebSocketState.Open)
            {
                await _stream.WriteAsync(Settings.Framing.NewPing(), CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            // The pending receive detects the error.
        }
    }

    public override ValueTask WaitUntilReadyToSendAsync(CancellationToken cancellationToken) => Sender.WaitForTurnAsync(cancellationToken);

    private void BeginReading(CancellationToken cancellationToken)
    {
        if (_leaving == default)
        {
            _leaving =
                cancellationToken.UnsafeRegister(static connection => _ = ((WebSocketConnection)connection!).CloseSocketAsync(), this);
        }

        if (_fault is not null)
        {
            throw _fault;
        }
    }

    private ValueTask<ValueWebSocketReceiveResult> TakePending()
    {
        var receive = _pending ?? Receive();
        _pending = null;
        return receive;
    }

    /// <summary>
    /// Starts a receive. If no bytes are known to have arrived, an empty receive waits for the next message to begin, so that no buffer is
    /// held while it waits.
    /// </summary>
    private ValueTask<ValueWebSocketReceiveResult> Receive()
    {
        if (!_isInMessage && !_stream.HasBytes)
        {
            ReleaseBlock();
            return _socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
        }

        _block ??= ArrayPool<byte>.Shared.Rent(BlockSize);
        return _socket.ReceiveAsync(_block.AsMemory(), CancellationToken.None);
    }

    /// <summary>Adds what was received to the batch.</summary>
    /// <returns>Whether it completed the first message of the peer.</returns>
    private bool Take(ValueWebSocketReceiveResult result, MessageBatch batch)
    {
        if (_arena.PendingLength + result.Count > Settings.Options.MaxMessageBytes)
        {
            ChosenCloseStatus = WebSocketCloseStatus.MessageTooBig;
            throw new TransportException(
                TransportErrorCode.MessageTooLarge,
                $"A message is larger than MaxMessageBytes ({Settings.Options.MaxMessageBytes} bytes).");
        }

        if (result.Count > 0)
        {
            _arena.Append(_block.AsSpan(0, result.Count));
        }

        _isInMessage = !result.EndOfMessage;
        if (_isInMessage)
        {
            return false;
        }

        Add(_arena, result.MessageType == WebSocketMessageType.Binary, batch);
        var isFirst = !_hasSpoken;
        _hasSpoken = true;
        return isFirst;
    }

    private ReadOutcome EndRead(MessageBatch batch)
    {
        batch.BytesReceived = Interlocked.Exchange(ref _bytes, 0);
        return ReadOutcome.More;
    }

    /// <summary>Ends a read at the peer's close frame. It has an effect only after the messages before it were delivered.</summary>
    private ReadOutcome EndAtClose(ValueWebSocketReceiveResult close, MessageBatch batch, CancellationToken cancellationToken)
    {
        if (!batch.IsEmpty)
        {
            _pending = new ValueTask<ValueWebSocketReceiveResult>(close);
            return EndRead(batch);
        }

        cancellationToken.ThrowIfCancellationRequested();
        var code = (int?)_socket.CloseStatus;
        return code is null or (int)WebSocketCloseStatus.NormalClosure or (int)WebSocketCloseStatus.Empty
            ? ReadOutcome.EndOfStream
            : throw WebSocketErrors.FromClose(code.Value, MayPass(code.Value));
    }

    /// <summary>Closes the socket once. If the peer does not answer in time, aborts the socket. All receives end in both cases.</summary>
    private Task CloseSocketAsync()
    {
        lock (_gate)
        {
            return _closing ??= ExchangeCloseFramesAsync();
        }
    }

    private async Task ExchangeCloseFramesAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (IsPeerUnresponsive)
        {
            _socket.Abort();
            return;
        }

        _abort = Settings.Time.CreateTimer(static socket => ((WebSocket)socket!).Abort(), _socket, GoodbyeLimit, Timeout.InfiniteTimeSpan);
        try
        {
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                // The peer's own code, if the peer closed first (RFC 6455, section 5.5.1).
                var status = ChosenCloseStatus ?? _socket.CloseStatus ?? WebSocketCloseStatus.NormalClosure;
                await _socket.CloseOutputAsync(status, statusDescription: null, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            _socket.Abort();        // the socket is already closed
        }
    }

    /// <summary>Waits for the peer's close frame, and ignores all messages before it.</summary>
    private async Task WaitForPeerAsync()
    {
        try
        {
            while (_pending is not null || _socket.State == WebSocketState.CloseSent)
            {
                var result = await TakePending().ConfigureAwait(false);
                _isInMessage = !result.EndOfMessage;
            }
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            // The socket was aborted, or the connection ended without a close frame.
        }
    }

    void ISocketOwner.OnBytes(int count)
    {
        Interlocked.Add(ref _bytes, count);
        if (_heartbeat.OnBytes() is { } roundTrip)
        {
            ReportPingAnswered(roundTrip);
        }
        else
        {
            ReportActivity();
        }
    }

    private void ReleaseBlock()
    {
        if (_block is not null)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = null;
        }
    }
}
