using System.Buffers;
using System.Net.WebSockets;
using Perennial.Wire;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>
/// Receives whole messages and passes on one at a time, so that a slow handler slows the sender. Holds no memory while no message arrives.
/// </summary>
/// <param name="socket">The socket. Receiving is never cancelled, because that would abort the socket. Closing the socket ends it.</param>
/// <param name="taker">Handles the messages.</param>
/// <param name="maxBytes">The most bytes of a message that are kept.</param>
internal sealed class SocketReceiver(WebSocket socket, ISocketTaker taker, int maxBytes)
{
    private const int FirstBlock = 4096;
    private const int KeptOfTorn = 1024;
    private const int MonstrousFactor = 8;

    private byte[]? _buffer;

    /// <summary>Receives until the peer closes or violates the protocol.</summary>
    /// <returns>The code to close with; null if the peer has closed.</returns>
    /// <exception cref="OperationCanceledException">The session ends.</exception>
    public async Task<int?> ReceiveAsync(CancellationToken leave)
    {
        try
        {
            while (true)
            {
                var receiving = socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
                if (!receiving.IsCompleted)
                {
                    taker.OnSilence();
                    ReleaseBuffer();
                }

                var begun = await receiving;
                if (begun.MessageType == WebSocketMessageType.Close)
                {
                    return null;
                }

                var message = begun.EndOfMessage ? new(default, begun.MessageType, IsTorn: false) : await ReadAsync();
                if (message is not { } whole)
                {
                    return CloseCodes.TooBig;
                }

                if (await taker.TakeAsync(whole, leave) is { } code)
                {
                    return code;
                }

                leave.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            ReleaseBuffer();
        }
    }

    /// <summary>Receives and drops everything until the peer closes or is gone.</summary>
    public async Task DrainAsync()
    {
        var block = ArrayPool<byte>.Shared.Rent(FirstBlock);
        try
        {
            while (socket.State is WebSocketState.Open or WebSocketState.CloseSent)
            {
                await socket.ReceiveAsync(block.AsMemory(), CancellationToken.None);
            }
        }
        catch (Exception e) when (SocketErrors.IsGone(e))
        {
        }

        ArrayPool<byte>.Shared.Return(block);
    }

    /// <summary>Receives one message. Null if it is far beyond the limit.</summary>
    private async ValueTask<SocketMessage?> ReadAsync()
    {
        _buffer ??= ArrayPool<byte>.Shared.Rent(FirstBlock);
        var count = 0;
        while (true)
        {
            var received = await socket.ReceiveAsync(_buffer.AsMemory(count), CancellationToken.None);
            count += received.Count;
            if (received.EndOfMessage)
            {
                return new(_buffer.AsMemory(0, count), received.MessageType, IsTorn: count > maxBytes);
            }

            if (count > maxBytes)
            {
                return await TearAsync(count) ? new(_buffer.AsMemory(0, KeptOfTorn), received.MessageType, IsTorn: true) : null;
            }

            if (count == _buffer.Length)
            {
                Grow(count);
            }
        }
    }

    /// <summary>Drops a message except its beginning. Returns false if the message is far beyond the limit.</summary>
    private async ValueTask<bool> TearAsync(long count)
    {
        while (count <= (long)maxBytes * MonstrousFactor)
        {
            var received = await socket.ReceiveAsync(_buffer.AsMemory(KeptOfTorn), CancellationToken.None);
            count += received.Count;
            if (received.EndOfMessage)
            {
                return true;
            }
        }

        return false;
    }

    private void Grow(int count)
    {
        var larger = ArrayPool<byte>.Shared.Rent(2 * count);
        _buffer.AsSpan(0, count).CopyTo(larger);
        ReleaseBuffer();
        _buffer = larger;
    }

    private void ReleaseBuffer()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = null;
    }
}
