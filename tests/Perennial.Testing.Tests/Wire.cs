using System.Net.Sockets;

namespace Perennial.Testing.Tests;

/// <summary>The client's end of a plain TCP connection.</summary>
internal sealed class Wire : IDisposable
{
    public static readonly byte[] Question = "?"u8.ToArray();

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task<Wire> ConnectAsync(Uri address)
    {
        var wire = new Wire();
        await wire._socket.ConnectAsync(address.Host, address.Port, Cancelled);
        return wire;
    }

    /// <summary>
    /// Connects, says one byte and takes what comes. Where the server speaks first, a reset may already meet the connect call;
    /// a client that speaks first is connected for certain. A refusal counts as a reset too.
    /// </summary>
    public static async Task<(byte[] Received, CutMode End)> AskAsync(Uri address)
    {
        try
        {
            using var wire = await ConnectAsync(address);
            await wire.SendAsync(Question);
            return await wire.ReceiveToEndAsync();
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            return ([], CutMode.Reset);
        }
    }

    /// <summary>What a raw script does first to serve <see cref="AskAsync"/>.</summary>
    public static async Task HearAsync(ScriptedConnection connection) =>
        await connection.Stream.ReadExactlyAsync(new byte[Question.Length], Cancelled);

    public static byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _socket.SendAsync(bytes, Cancelled);

    public async Task<byte[]> ReceiveAsync(int count)
    {
        var bytes = new byte[count];
        for (var received = 0; received < count;)
        {
            var more = await _socket.ReceiveAsync(bytes.AsMemory(received), Cancelled);
            received += more > 0 ? more : throw new EndOfStreamException($"The stream ended after {received} of {count} bytes.");
        }
        return bytes;
    }

    /// <summary>Receives once, whatever there is.</summary>
    public async Task<byte[]> ReceiveSomeAsync()
    {
        var bytes = new byte[64 * 1024];
        return bytes[..await _socket.ReceiveAsync(bytes, Cancelled)];
    }

    /// <summary>Everything until the connection ends, and the way it ended.</summary>
    public async Task<(byte[] Received, CutMode End)> ReceiveToEndAsync()
    {
        using var received = new MemoryStream();
        var buffer = new byte[64 * 1024];
        try
        {
            while (await _socket.ReceiveAsync(buffer, Cancelled) is > 0 and var count)
            {
                received.Write(buffer, 0, count);
            }

            return (received.ToArray(), CutMode.Close);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return (received.ToArray(), CutMode.Reset);
        }
    }

    public void FinishSending() => _socket.Shutdown(SocketShutdown.Send);

    public void Dispose() => _socket.Dispose();
}
