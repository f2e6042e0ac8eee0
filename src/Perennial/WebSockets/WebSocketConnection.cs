using System.Buffers;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;

namespace Perennial.WebSockets;

/// <summary>
/// One WebSocket. A receive is always pending while there is nothing to hand over, so that pings are answered even when nobody reads; a
/// receive is never cancelled, since that would abort the socket, but ended by closing it.
/// </summary>
internal sealed class WebSocketConnection : TransportConnection
{
    private const int BlockSize = 16 * 1024;
    private const int LargestBatch = 256;
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(2);

    private readonly DuplexStream _stream;
    private readonly WebSocket _socket;
    private readonly WebSocketTransportOptions _options;
    private readonly WebSocketHeartbeat _heartbeat;
    private readonly MessageArena _arena = new();       // the message being received is its pending bytes
    private readonly Lock _gate = new();
    private CancellationTokenRegistration _leaving;
    private readonly ITimer _abort;
    private Task? _goodbye;                             // set once, under the lock
    private ValueTask<ValueWebSocketReceiveResult>? _pending;
    private byte[]? _block;
    private bool _isInMessage;                          // a message has begun, so that a receive will not wait long
    private long _bytes;

    public WebSocketConnection(Stream upgraded, WebSocketCreationOptions creation, WebSocketTransportOptions options, TimeProvider time)
    {
        _options = options;
        _stream = new DuplexStream(upgraded, OnBytes);
        _socket = WebSocket.CreateFromStream(_stream, creation);
        _abort = time.CreateTimer(static socket => ((WebSocket)socket!).Abort(), _socket, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _heartbeat = new WebSocketHeartbeat(options.Heartbeat, time, PingAsync);
    }

    public override TimeSpan? LongestSilence => _options.Heartbeat.IsOn ? _options.Heartbeat.Interval + _options.Heartbeat.Timeout : null;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        if (_leaving == default)
        {
            _leaving = cancellationToken.UnsafeRegister(static connection => _ = ((WebSocketConnection)connection!).SayGoodbyeAsync(), this);
        }

        try
        {
            while (batch.Count < LargestBatch)
            {
                var receive = TakePending();
                if (batch.Count > 0 && !receive.IsCompleted)
                {
                    _pending = receive;
                    break;
                }

                var result = await receive.ConfigureAwait(false);
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    return MeaningOfClose();
                }

                Take(result, batch);
            }
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw WebSocketErrors.FromReceive(e);
        }

        batch.BytesReceived = Interlocked.Exchange(ref _bytes, 0);
        return ReadOutcome.More;
    }

    public override StreamSignal Classify(in StreamMessage message)
    {
        if (_options.Heartbeat.AsJson && JsonHeartbeat.Recognise(in message) is not JsonHeartbeat.Kind.None and var kind)
        {
            if (kind == JsonHeartbeat.Kind.Ping)
            {
                _ = TrySendAsync(JsonHeartbeat.Pong);
            }

            return StreamSignal.Ignored;
        }

        return _options.Classify is { } classify ? classify(in message)
            : message.IsBinary ? StreamSignal.None
            : JsonConventions.Classify(in message);
    }

    public override async ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        if (_socket.State != WebSocketState.Open)
        {
            throw new TransportException(TransportErrorCode.ConnectionLost, "The connection is closing.", isTransient: true) { Delivery = DeliveryStatus.NotSent };
        }

        var type = message.Kind == OutgoingKind.Binary ? WebSocketMessageType.Binary : WebSocketMessageType.Text;
        try
        {
            // A send that were cancelled would abort the socket: the wait ends, the message goes on.
            await _socket.SendAsync(message.Data, type, endOfMessage: true, CancellationToken.None)
                .AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
            return SendOutcome.Sent;
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            throw new TransportException(TransportErrorCode.ConnectionLost, "The connection broke off while the message was being sent.", false, e)
            {
                Delivery = DeliveryStatus.Unknown,
            };
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await SayGoodbyeAsync().ConfigureAwait(false);
        await WaitForPeerAsync().ConfigureAwait(false);
        await _leaving.DisposeAsync().ConfigureAwait(false);
        await _abort.DisposeAsync().ConfigureAwait(false);
        await _heartbeat.DisposeAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _stream.DisposeAsync().ConfigureAwait(false);
        ReleaseBlock();
    }

    private ValueTask<ValueWebSocketReceiveResult> TakePending()
    {
        var receive = _pending ?? Receive();
        _pending = null;
        return receive;
    }

    /// <summary>A block is held only while bytes are at hand: where none are known to be, an empty receive waits for the next message to begin.</summary>
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

    private void Take(ValueWebSocketReceiveResult result, MessageBatch batch)
    {
        if (_arena.PendingLength + result.Count > _options.MaxMessageBytes)
        {
            throw new TransportException(
                TransportErrorCode.MessageTooLarge, $"A message is larger than MaxMessageBytes ({_options.MaxMessageBytes} bytes).");
        }

        if (result.Count > 0)
        {
            _arena.Append(_block.AsSpan(0, result.Count));
        }

        _isInMessage = !result.EndOfMessage;
        if (result.EndOfMessage)
        {
            var length = _arena.PendingLength;
            var (block, start) = _arena.Commit();
            var traits = result.MessageType == WebSocketMessageType.Binary ? MessageTraits.Binary : MessageTraits.None;
            batch.Add(new StreamMessage(block, start, length, 0, StreamMessage.SaysNothingOfIds, eventType: null, traits));
        }
    }

    private ReadOutcome MeaningOfClose()
    {
        var code = (int?)_socket.CloseStatus;
        return code is null or (int)WebSocketCloseStatus.NormalClosure or (int)WebSocketCloseStatus.Empty
            ? ReadOutcome.EndOfStream
            : throw WebSocketErrors.FromClose(code.Value);
    }

    /// <summary>Says goodbye once; a peer that does not answer in time is left by aborting the socket. Receives end either way.</summary>
    private Task SayGoodbyeAsync()
    {
        lock (_gate)
        {
            return _goodbye ??= GoodbyeAsync();
        }
    }

    private async Task GoodbyeAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        _abort.Change(CloseLimit, Timeout.InfiniteTimeSpan);
        try
        {
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            // It was gone already.
        }
    }

    /// <summary>Waits for the peer's goodbye, reading over what it still says.</summary>
    private async Task WaitForPeerAsync()
    {
        try
        {
            while (_socket.State == WebSocketState.CloseSent)
            {
                var result = await TakePending().ConfigureAwait(false);
                _isInMessage = !result.EndOfMessage;
            }
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            // Aborted, or it went without a word.
        }
    }

    private void OnBytes(int count)
    {
        Interlocked.Add(ref _bytes, count);
        _heartbeat.OnBytes();
        ReportActivity();
    }

    private async Task PingAsync()
    {
        if (_options.Heartbeat.AsJson)
        {
            await TrySendAsync(JsonHeartbeat.Ping).ConfigureAwait(false);
            return;
        }

        try
        {
            await _stream.PingAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            // The reader finds out by itself.
        }
    }

    private async Task TrySendAsync(ReadOnlyMemory<byte> text)
    {
        try
        {
            await _socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (WebSocketErrors.IsGone(e))
        {
            // The reader finds out by itself.
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
