using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Perennial.Benchmarks;

/// <summary>
/// The other end, in a process of its own: a bare socket that answers <c>GET /workload/count</c> with bytes made beforehand, so that
/// it costs less than any reader. <c>/idle</c> sends one event and then nothing; <c>/cut</c> sends one event and closes in mid-response. A second port
/// answers <c>/idle</c> over HTTP/2 without TLS.
/// </summary>
internal static class Sender
{
    private const string Head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static readonly byte[] OneEvent = [.. Encoding.ASCII.GetBytes(Head), .. Chunk("id: 1\ndata: hello\n\n"u8.ToArray())];

    public static async Task RunAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(backlog: 4096);
        await using var http2 = await StartHttp2Async();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port} {http2.Urls.First()}"));
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
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await app.StartAsync();
        return app;
    }

    private static async Task AnswerAsync(Socket socket)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        socket.NoDelay = true;
        try
        {
            while (await ReadPathAsync(stream) is { } path)
            {
                switch (path.Split('/', StringSplitOptions.RemoveEmptyEntries))
                {
                    case ["idle"]:
                        await stream.WriteAsync(OneEvent);
                        await stream.ReadExactlyAsync(new byte[1]);
                        return;
                    case ["cut"]:
                        await stream.WriteAsync(OneEvent);
                        return;
                    case [var name, var count]:
                        await SendAsync(stream, Workload.Named(name), int.Parse(count, CultureInfo.InvariantCulture));
                        break;
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The reader left.
        }
    }

    private static async Task SendAsync(NetworkStream stream, Workload workload, int count)
    {
        var (block, events) = workload.Block();
        var chunk = workload.Packing == Packing.Blocks ? Chunk(block) : ChunkPerEvent(workload.Event(), events);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Head));
        for (var sent = 0; sent < count; sent += events)
        {
            await stream.WriteAsync(chunk);
        }

        await stream.WriteAsync("0\r\n\r\n"u8.ToArray());
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

    private static async Task<string?> ReadPathAsync(NetworkStream stream)
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
                return Encoding.ASCII.GetString(buffer, 0, length).Split(' ')[1];
            }
        }
    }
}
