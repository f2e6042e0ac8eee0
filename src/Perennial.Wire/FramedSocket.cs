using System.Buffers;
using System.Buffers.Binary;
using System.Net.WebSockets;

namespace Perennial.Wire;

/// <summary>
/// Messages over a stream of bytes, in frames with their length before them (docs/protocol.md). It is a <see cref="WebSocket"/> so that the
/// client and the server use one implementation of <c>perennial.v1</c> for both framings.
/// </summary>
/// <remarks>
/// One receive and any number of sends at a time. Each frame is written in one call. It keeps no message: its caller decides how much of a
/// message to keep. Pings are answered while a receive is pending.
/// </remarks>
/// <param name="stream">The stream, which is disposed with the socket.</param>
/// <param name="abort">Ends the connection below the stream at once, if disposing the stream does not end a pending read.</param>
internal sealed class FramedSocket(Stream stream, Action? abort = null) : WebSocket
{
    /// <summary>The kind in one byte, and the length in four, the most significant first.</summary>
    private const int HeaderSize = 5;

    private const int LongestControl = 125;

    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly byte[] _header = new byte[HeaderSize];
    private FrameKind _kind;
    private int _remaining;             // bytes of the current message that were not received yet
    private bool _isBroken;             // the peer violated the protocol, so that no frame can be read any more
    private volatile bool _sentClose;
    private volatile bool _receivedClose;
    private volatile bool _isAborted;
    private WebSocketCloseStatus? _closeStatus;

    private enum FrameKind : byte
    {
        Text = 1,
        Binary = 2,
        Close = 8,
        Ping = 9,
        Pong = 10,
    }

    public override WebSocketCloseStatus? CloseStatus => _closeStatus;

    public override string? CloseStatusDescription => null;

    public override string SubProtocol => WireHeaders.SubProtocol;

    public override WebSocketState State => _isAborted ? WebSocketState.Aborted : (_sentClose, _receivedClose) switch
    {
        (false, false) => WebSocketState.Open,
        (true, false) => WebSocketState.CloseSent,
        (false, true) => WebSocketState.CloseReceived,
        _ => WebSocketState.Closed,
    };

    /// <summary>Creates a frame that asks the peer for a sign of life.</summary>
    public static byte[] NewPing() => [(byte)FrameKind.Ping, 0, 0, 0, 0];

    public override async ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_isBroken)
        {
            await DropAllAsync(cancellationToken).ConfigureAwait(false);
            throw EndOfBytes();
        }

        if (_remaining == 0)
        {
            await ReadHeaderAsync(cancellationToken).ConfigureAwait(false);
            while (_kind > FrameKind.Binary)
            {
                await HandleControlAsync(cancellationToken).ConfigureAwait(false);
                if (_receivedClose)
                {
                    return new ValueWebSocketReceiveResult(0, WebSocketMessageType.Close, endOfMessage: true);
                }

                await ReadHeaderAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        var wanted = buffer[..Math.Min(buffer.Length, _remaining)];
        var count = wanted.IsEmpty ? 0 : await stream.ReadAsync(wanted, cancellationToken).ConfigureAwait(false);
        if (count == 0 && !wanted.IsEmpty)
        {
            throw EndOfBytes();
        }

        _remaining -= count;
        return new ValueWebSocketReceiveResult(
            count, _kind == FrameKind.Text ? WebSocketMessageType.Text : WebSocketMessageType.Binary, endOfMessage: _remaining == 0);
    }

    public override async Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken)
    {
        var result = await ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
        return new WebSocketReceiveResult(result.Count, result.MessageType, result.EndOfMessage, _closeStatus, CloseStatusDescription);
    }

    public override ValueTask SendAsync(
        ReadOnlyMemory<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
    {
        if (!endOfMessage)
        {
            throw new NotSupportedException("A message is one frame.");
        }

        return State is WebSocketState.Open or WebSocketState.CloseReceived
            ? WriteAsync(messageType == WebSocketMessageType.Text ? FrameKind.Text : FrameKind.Binary, buffer, cancellationToken)
            : throw new WebSocketException(WebSocketError.InvalidState);
    }

    public override Task SendAsync(
        ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) =>
        SendAsync(buffer.AsMemory(), messageType, endOfMessage, cancellationToken).AsTask();

    public override async Task CloseOutputAsync(
        WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
    {
        var code = new byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(code, (ushort)closeStatus);
        await WriteAsync(FrameKind.Close, code, cancellationToken).ConfigureAwait(false);
        _sentClose = true;
    }

    public override async Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
    {
        await CloseOutputAsync(closeStatus, statusDescription, cancellationToken).ConfigureAwait(false);
        var dropped = new byte[1024];
        while (!_receivedClose)
        {
            await ReceiveAsync(dropped.AsMemory(), cancellationToken).ConfigureAwait(false);
        }
    }

    public override void Abort()
    {
        _isAborted = true;
        stream.Dispose();
        abort?.Invoke();
    }

    public override void Dispose() => stream.Dispose();

    private async ValueTask ReadHeaderAsync(CancellationToken cancellationToken)
    {
        await FillAsync(_header, cancellationToken).ConfigureAwait(false);
        _kind = (FrameKind)_header[0];
        var length = BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(1));
        var most = _kind > FrameKind.Binary ? LongestControl : (uint)Array.MaxLength;
        if (!Enum.IsDefined(_kind) || length > most || (_kind == FrameKind.Close && length == 1))
        {
            await RefuseAsync(cancellationToken).ConfigureAwait(false);
        }

        _remaining = (int)length;
    }

    private async ValueTask HandleControlAsync(CancellationToken cancellationToken)
    {
        var payload = new byte[_remaining];
        await FillAsync(payload, cancellationToken).ConfigureAwait(false);
        _remaining = 0;
        if (_kind == FrameKind.Close)
        {
            _closeStatus = payload.Length < sizeof(ushort)
                ? WebSocketCloseStatus.Empty
                : (WebSocketCloseStatus)BinaryPrimitives.ReadUInt16BigEndian(payload);
            _receivedClose = true;
        }
        else if (_kind == FrameKind.Ping && State == WebSocketState.Open)
        {
            await WriteAsync(FrameKind.Pong, payload, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask FillAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false)
            < buffer.Length)
        {
            throw EndOfBytes();
        }
    }

    /// <summary>Waits for the peer's end of the connection, so that the frame that closes is not lost with it.</summary>
    private async ValueTask DropAllAsync(CancellationToken cancellationToken)
    {
        var dropped = new byte[1024];
        while (await stream.ReadAsync(dropped, cancellationToken).ConfigureAwait(false) > 0)
        {
        }
    }

    private WebSocketException EndOfBytes()
    {
        _isAborted = true;
        return new WebSocketException(WebSocketError.ConnectionClosedPrematurely);
    }

    /// <summary>Closes because of a frame that is none, as a WebSocket does.</summary>
    private async ValueTask RefuseAsync(CancellationToken cancellationToken)
    {
        _isBroken = true;
        if (State == WebSocketState.Open)
        {
            await CloseOutputAsync(WebSocketCloseStatus.ProtocolError, null, cancellationToken).ConfigureAwait(false);
        }

        throw new WebSocketException(WebSocketError.Faulted);
    }

    private async ValueTask WriteAsync(FrameKind kind, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        var frame = ArrayPool<byte>.Shared.Rent(HeaderSize + payload.Length);
        try
        {
            frame[0] = (byte)kind;
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), payload.Length);
            payload.Span.CopyTo(frame.AsSpan(HeaderSize));
            await stream.WriteAsync(frame.AsMemory(0, HeaderSize + payload.Length), cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            ArrayPool<byte>.Shared.Return(frame);       // not after a failure: the write may still use it
        }
        catch
        {
            Abort();        // part of a frame may have left
            throw;
        }
        finally
        {
            _writing.Release();
        }
    }
}
