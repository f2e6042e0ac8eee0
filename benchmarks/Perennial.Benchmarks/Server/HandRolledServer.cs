using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Perennial.Benchmarks.Server;

/// <summary>
/// What a good user writes: a bounded channel for each reader, of items that the platform encodes, or of bytes that are encoded once.
/// </summary>
internal sealed class HandRolledServer : IBroadcast
{
    private readonly ConcurrentDictionary<Channel<SseItem<string>>, bool> _itemReaders = [];
    private readonly ConcurrentDictionary<Channel<byte[]>, bool> _byteReaders = [];
    private WebApplication? _application;
    private long _sent;

    public string Origin => _application!.Urls.First();

    public string BusyPath => "/busy";

    public string IdlePath => "/idle";

    public static async Task<HandRolledServer> StartAsync(bool isEncodedOnce)
    {
        var server = new HandRolledServer();
        server._application = await KestrelServer.StartAsync(static _ => { }, application =>
        {
            foreach (var (path, isBusy) in new[] { (server.BusyPath, true), (server.IdlePath, false) })
            {
                if (isEncodedOnce)
                {
                    application.MapGet(path, context => server.ServeBytesAsync(context, isBusy));
                }
                else
                {
                    application.MapGet(
                        path, (HttpContext context) => TypedResults.ServerSentEvents(server.ReadItems(isBusy, context.RequestAborted)));
                }
            }
        });
        return server;
    }

    public Task SendAsync(int events)
    {
        for (var n = 0; n < events; n++)
        {
            var (text, id) = (Token.Now(), string.Create(CultureInfo.InvariantCulture, $"abcdefgh-{++_sent}"));
            var item = new SseItem<string>(text) { EventId = id };
            foreach (var (reader, _) in _itemReaders)
            {
                reader.Writer.TryWrite(item);
            }

            var bytes = Encoding.UTF8.GetBytes($"id: {id}\ndata: {text}\n\n");
            foreach (var (reader, _) in _byteReaders)
            {
                reader.Writer.TryWrite(bytes);
            }
        }

        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => _application!.DisposeAsync();

    private async IAsyncEnumerable<SseItem<string>> ReadItems(
        bool isBusy, [EnumeratorCancellation] CancellationToken aborted)
    {
        var channel = Open<SseItem<string>>();
        if (isBusy)
        {
            _itemReaders[channel] = true;
        }

        try
        {
            yield return new SseItem<string>("hello");
            await foreach (var item in channel.Reader.ReadAllAsync(aborted))
            {
                yield return item;
            }
        }
        finally
        {
            _itemReaders.TryRemove(channel, out _);
        }
    }

    private async Task ServeBytesAsync(HttpContext context, bool isBusy)
    {
        var channel = Open<byte[]>();
        if (isBusy)
        {
            _byteReaders[channel] = true;
        }

        var body = context.Response.BodyWriter;
        context.Response.ContentType = "text/event-stream";
        try
        {
            await body.WriteAsync("data: hello\n\n"u8.ToArray(), context.RequestAborted);
            while (await channel.Reader.WaitToReadAsync(context.RequestAborted))
            {
                while (channel.Reader.TryRead(out var bytes))
                {
                    body.Write(bytes);
                }

                await body.FlushAsync(context.RequestAborted);
            }
        }
        finally
        {
            _byteReaders.TryRemove(channel, out _);
        }
    }

    private static Channel<T> Open<T>() =>
        Channel.CreateBounded<T>(new BoundedChannelOptions(1000) { SingleReader = true, SingleWriter = true });
}
