using System.Globalization;
using System.Net;
using Perennial.Sse;

namespace Perennial.Benchmarks;

/// <summary>Managed memory of a stream that has had one event and waits for the next. Prints bytes per stream.</summary>
internal static class Idle
{
    public static async Task RunAsync(string reader, int count, string server)
    {
        var isHttp2 = reader.EndsWith("-h2", StringComparison.Ordinal);
        var uri = new Uri($"{server}/idle");
        Func<Task<object>> open = reader.StartsWith("floor", StringComparison.Ordinal)
            ? () => OpenFloorAsync(uri, isHttp2)
            : () => OpenPerennialAsync(uri, isHttp2);
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

    private static async Task<object> OpenPerennialAsync(Uri uri, bool isHttp2)
    {
        var transport = new SseTransport(new SseTransportOptions { Endpoint = uri, HttpVersion = isHttp2 ? HttpVersion.Version20 : null });
        var messages = transport.ReadAllAsync().GetAsyncEnumerator();
        await messages.MoveNextAsync();
        return (transport, messages, messages.MoveNextAsync().AsTask());
    }
}
