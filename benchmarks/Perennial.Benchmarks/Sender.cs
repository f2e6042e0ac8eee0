using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Perennial.Benchmarks;

/// <summary>
/// The other end, in a process of its own: a bare socket that answers <c>GET /workload/count</c> with bytes made beforehand, so that
/// it costs less than any reader. <c>/idle</c> sends one event, or one message where it is asked for a WebSocket, and then nothing;
/// <c>/cut</c> sends one event and closes in mid-response. A second port answers <c>/idle</c> over HTTP/2 without TLS, a third has a
/// SignalR hub.
/// </summary>
internal static class Sender
{
    private static readonly byte[] OneEvent = [.. Head("text/event-stream"), .. Chunk("id: 1\ndata: hello\n\n"u8.ToArray())];

    private static readonly byte[] Document = Encoding.ASCII.GetBytes(
        $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2048\r\n\r\n{{\"text\":\"{new string('x', 2048 - 11)}\"}}");

    private static readonly byte[] OneFrame = [0x81, 5, .. "hello"u8];
    private static readonly byte[] LastChunk = "0\r\n\r\n"u8.ToArray();
    private static readonly byte[] CloseFrame = [0x88, 2, 0x03, 0xE8];      // 1000

    public static async Task RunAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(backlog: 4096);
        await using var http2 = await StartHttp2Async();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        await using var hub = await StartHubAsync();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port} {http2.Urls.First()} {hub.Urls.First()}"));
        _ = Task.Run(async () =>
        {
            while (true)
            {
                _ = AnswerAsync(await listener.AcceptSocketAsync());
            }
        });

        // The parent closes our input when it is done.
        await Console.In.ReadToEndAsync();
    }

    private static async Task<WebApplication> StartHttp2Async()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Limits.Http2.MaxStreamsPerConnection = int.MaxValue;
        });
        var app = builder.Build();
        app.MapGet("/idle", async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.Body.WriteAsync("id: 1\ndata: hello\n\n"u8.ToArray(), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(
                Timeout.InfiniteTimeSpan,
                TimeProvider.System,
                context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await app.StartAsync();
        return app;
    }

    private static async Task<WebApplication> StartHubAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSignalR();
        var app = builder.Build();
        app.MapHub<SendingHub>("/hub");
        await app.StartAsync();
        return app;
    }

    private static async Task AnswerAsync(Socket socket)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        socket.NoDelay = true;
        var polled = 0;
        try
        {
            while (await ReadRequestAsync(stream) is { } request)
            {
                switch (request.Split(' ')[1].Split('/', StringSplitOptions.RemoveEmptyEntries))
                {
                    case ["idle"]:
                        await stream.WriteAsync(
                            request.Contains("Sec-WebSocket-Key", StringComparison.OrdinalIgnoreCase)
                                ? [.. Accept(request), .. OneFrame]
                                : OneEvent);
                        while (await stream.ReadAsync(new byte[64]) > 0)
                        {
                            // Pings, which go unanswered: nobody stays that long.
                        }

                        return;
                    case ["document"]:
                        await stream.WriteAsync(Document);
                        break;
                    case ["cut"]:
                        await stream.WriteAsync(OneEvent);
                        return;
                    case [var name, var count]:
                        var workload = Workload.Named(name);
                        if (workload.Wire == Wire.LongPoll)
                        {
                            polled = await AnswerPollAsync(stream, workload, polled, int.Parse(count, CultureInfo.InvariantCulture));
                            break;
                        }

                        await SendAsync(stream, request, workload, int.Parse(count, CultureInfo.InvariantCulture));
                        if (workload.Wire == Wire.WebSocket)
                        {
                            // the reader's close frame; the server then closes the line (RFC 6455, section 7.1.1)
                            await stream.ReadExactlyAsync(new byte[1]);
                            return;
                        }

                        break;
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The reader left.
        }
    }

    private static async Task SendAsync(NetworkStream stream, string request, Workload workload, int count)
    {
        var (block, events) = workload.Block();
        var (head, bytes, tail) = workload.Wire == Wire.WebSocket ? (Accept(request), block, CloseFrame)
            : (Head(workload.Wire == Wire.Sse ? "text/event-stream" : "application/x-ndjson"),
                workload.Packing == Packing.Blocks ? Chunk(block) : ChunkPerEvent(workload.Event(), events),
                LastChunk);
        await stream.WriteAsync(head);
        for (var sent = 0; sent < count; sent += events)
        {
            await stream.WriteAsync(bytes);
        }

        if (workload.EndsAsChat)
        {
            await stream.WriteAsync(Chunk("data: [DONE]\n\n"u8.ToArray()));
        }

        await stream.WriteAsync(tail);
    }

    /// <summary>
    /// Answers one poll, and says how many messages that makes; the one after the last is told that there are no more, and begins anew.
    /// </summary>
    private static async Task<int> AnswerPollAsync(NetworkStream stream, Workload workload, int sent, int count)
    {
        if (sent >= count)
        {
            await stream.WriteAsync("HTTP/1.1 204 No Content\r\nPerennial-Status: completed\r\n\r\n"u8.ToArray());
            return 0;
        }

        var (block, events) = workload.Block();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: {block.Length}\r\n\r\n"));
        await stream.WriteAsync(block);
        return sent + events;
    }

    private static byte[] Head(string contentType) => Encoding.ASCII.GetBytes(
        $"HTTP/1.1 200 OK\r\nContent-Type: {contentType}\r\nTransfer-Encoding: chunked\r\n\r\n");

    /// <summary>Answers a handshake (RFC 6455, section 4.2.2).</summary>
    [SuppressMessage("Security", "CA5350", Justification = "RFC 6455 asks for SHA-1 here, and nothing is kept secret by it.")]
    private static byte[] Accept(string request)
    {
        const string Field = "Sec-WebSocket-Key: ";
        var key = request.Split("\r\n").First(line => line.StartsWith(Field, StringComparison.OrdinalIgnoreCase))[Field.Length..];
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
        return Encoding.ASCII.GetBytes(
            $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n");
    }

    private static byte[] ChunkPerEvent(byte[] one, int events)
    {
        var chunk = Chunk(one);
        var bytes = new ArrayBufferWriter<byte>();
        for (var i = 0; i < events; i++)
        {
            bytes.Write(chunk);
        }

        return bytes.WrittenSpan.ToArray();
    }

    private static byte[] Chunk(byte[] bytes) =>
        [.. Encoding.ASCII.GetBytes($"{bytes.Length:X}\r\n"), .. bytes, .. "\r\n"u8];

    private static async Task<string?> ReadRequestAsync(NetworkStream stream)
    {
        var buffer = new byte[4096];
        var length = 0;
        while (true)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length));
            if (read == 0)
            {
                return null;
            }

            length += read;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0)
            {
                return Encoding.ASCII.GetString(buffer, 0, length);
            }
        }
    }
}
