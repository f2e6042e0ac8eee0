using System.Globalization;
using System.Net;
using Perennial.Sse;
using Perennial.WebSockets;

namespace Perennial.Benchmarks;

/// <summary>Managed memory of a stream that has had one event and waits for the next. Prints bytes per stream.</summary>
internal static class Idle
{
    public const string Http1 = "http1";
    public const string Http2 = "http2";
    public const string WebSocket = "websocket";

    public static async Task RunAsync(string reader, string protocol, int count, string server)
    {
        var uri = new Uri($"{server}/idle");
        Func<Task<object>> open = (string.Equals(reader, "floor", StringComparison.Ordinal), protocol) switch
        {
            (true, WebSocket) => () => OpenFloorSocketAsync(uri),
            (true, _) => () => OpenFloorAsync(uri, isHttp2: protocol is Http2),
            (false, WebSocket) => () => OpenPerennialAsync(new WebSocketTransport(new WebSocketTransportOptions { Endpoint = uri })),
            (false, _) => () => OpenPerennialAsync(new SseTransport(
                new SseTransportOptions { Endpoint = uri, HttpVersion = protocol is Http2 ? HttpVersion.Version20 : null })),
        };
        var held = new List<object>(count + 1) { await open() };
        var before = Used();
        for (var i = 0; i < count; i++)
        {
            held.Add(await open());
        }

        Console.WriteLine(((Used() - before) / count).ToString(CultureInfo.InvariantCulture));
        GC.KeepAlive(held);
    }

    private static long Used()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static readonly HttpMessageInvoker Http = new(new SocketsHttpHandler { EnableMultipleHttp2Connections = true });

    private static async Task<object> OpenFloorAsync(Uri uri, bool isHttp2)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, uri);
        if (isHttp2)
        {
            (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        }

        var response = await Http.SendAsync(request, CancellationToken.None);
        var body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte["id: 1\ndata: hello\n\n".Length]);
        return (response, body.ReadAsync(new byte[256]).AsTask());
    }

    private static async Task<object> OpenFloorSocketAsync(Uri uri)
    {
        var socket = await HandRolled.ConnectAsync(uri);
        await socket.ReceiveAsync(new byte[256].AsMemory(), CancellationToken.None);
        return (socket, socket.ReceiveAsync(new byte[256].AsMemory(), CancellationToken.None).AsTask());
    }

    private static async Task<object> OpenPerennialAsync(Transport transport)
    {
        var messages = transport.ReadAllAsync().GetAsyncEnumerator();
        await messages.MoveNextAsync();
        return (transport, messages, messages.MoveNextAsync().AsTask());
    }
}
