using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Perennial.Testing;

namespace Perennial.Tests.WebSockets;

/// <summary>The server's end of a WebSocket, in the hands of a script: it decides about every frame, and about every byte.</summary>
internal sealed class ServerSocket
{
    private readonly ScriptedExchange _exchange;

    private ServerSocket(ScriptedExchange exchange) => _exchange = exchange;

    public RecordedRequest Request => _exchange.Request;

    public CancellationToken Stopping => _exchange.Stopping;

    public long BytesWritten => _exchange.BytesWritten;

    /// <summary>The script of an exchange that upgrades, runs a script of the socket, and ends the connection by FIN.</summary>
    public static Func<ScriptedExchange, Task> Script(Func<ServerSocket, Task> script, params (string Name, string Value)[] headers) =>
        async exchange =>
        {
            await AnswerAsync(exchange, headers);
            await script(new ServerSocket(exchange));
            exchange.Close();
        };

    /// <summary>
    /// A script that sends these frames, and then is silent until the client says goodbye; it is for a server to hang up first.
    /// </summary>
    public static Func<ScriptedExchange, Task> Sends(params Frame[] frames) =>
        Script(async socket =>
        {
            await socket.SendAsync(frames);
            await socket.ReceiveNextAsync(8);
        });

    /// <summary>A script that sends these frames, and ends the connection by FIN.</summary>
    public static Func<ScriptedExchange, Task> SendsAndEnds(params Frame[] frames) => Script(socket => socket.SendAsync(frames));

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5350", Justification = "RFC 6455 prescribes SHA-1.")]
    public static string AcceptFor(string key) =>
        Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));

    /// <summary>All in one write, so that they arrive as one segment where they fit.</summary>
    public Task SendAsync(params Frame[] frames) =>
        _exchange.WriteAsync(frames.SelectMany(static frame => frame.ToBytes()).ToArray(), Stopping);

    public Task SendBytesAsync(ReadOnlyMemory<byte> bytes) => _exchange.WriteAsync(bytes, Stopping);

    /// <summary>The next frame of the client, or <see langword="null"/> where it has closed the connection.</summary>
    /// <param name="begun">The first byte, where it was taken before.</param>
    public async Task<Frame?> ReceiveAsync(byte? begun = null)
    {
        var head = new byte[2];
        head[0] = begun ?? 0;
        if (await ReadAsync(head.AsMemory(begun is null ? 0 : 1)) == 0)
        {
            return null;
        }

        var length = head[1] & 0x7F;
        if (length == 126)
        {
            length = BinaryPrimitives.ReadUInt16BigEndian(await ReadExactlyAsync(2));
        }
        else if (length == 127)
        {
            length = (int)BinaryPrimitives.ReadUInt64BigEndian(await ReadExactlyAsync(8));
        }

        var isMasked = (head[1] & 0x80) != 0;
        var mask = isMasked ? await ReadExactlyAsync(4) : new byte[4];
        var payload = await ReadExactlyAsync(length);
        for (var i = 0; i < payload.Length; i++)
        {
            payload[i] ^= mask[i % 4];
        }

        return new Frame(head[0] & 0x0F, payload) { IsLast = (head[0] & 0x80) != 0, Reserved = head[0] & 0x70, IsMasked = isMasked };
    }

    /// <summary>The next frame with this opcode, reading over others; <see langword="null"/> where none came.</summary>
    public async Task<Frame?> ReceiveNextAsync(int opcode)
    {
        while (true)
        {
            var frame = await ReceiveAsync();
            if (frame is null || frame.Opcode == opcode)
            {
                return frame;
            }
        }
    }

    /// <summary>Completes when the client has begun a frame, of which it takes the first byte.</summary>
    public async Task<byte> BeginReceiveAsync() => (await ReadExactlyAsync(1))[0];

    public Task WaitForClientCloseAsync() => _exchange.WaitForClientCloseAsync(Stopping);

    public Task ResetAsync() => _exchange.ResetAsync(Stopping);

    private static Task AnswerAsync(ScriptedExchange exchange, (string Name, string Value)[] headers) =>
        exchange.WriteHeadAsync(
            101,
            [
                ("Connection", "Upgrade"), ("Upgrade", "websocket"),
                ("Sec-WebSocket-Accept", AcceptFor(exchange.Request.Header("Sec-WebSocket-Key")!)), .. headers,
            ]);

    private async Task<byte[]> ReadExactlyAsync(int count)
    {
        var bytes = new byte[count];
        (await ReadAsync(bytes)).ShouldBe(count, "The client closed the connection within a frame.");
        return bytes;
    }

    private async Task<int> ReadAsync(Memory<byte> bytes)
    {
        var count = 0;
        while (count < bytes.Length && await _exchange.ReadAsync(bytes[count..], Stopping) is > 0 and var read)
        {
            count += read;
        }

        return count;
    }
}
