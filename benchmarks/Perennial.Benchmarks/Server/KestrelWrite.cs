using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Perennial.Benchmarks.Server;

/// <summary>
/// What sending costs over Kestrel at all: an event is one write of bytes made before to each open response, in one loop.
/// </summary>
internal sealed class KestrelWrite : IBroadcast
{
    private const int WrittenInARow = 64;

    private static readonly TaskCompletionSource Never = new();

    private readonly List<PipeWriter> _readers = [];
    private WebApplication? _application;
    private long _sent;

    public string Origin => _application!.Urls.First();

    public string BusyPath => "/busy";

    public string IdlePath => "/idle";

    public static async Task<KestrelWrite> StartAsync()
    {
        var server = new KestrelWrite();
        server._application = await KestrelServer.StartAsync(static _ => { }, application =>
        {
            application.MapGet(server.BusyPath, context => server.HoldAsync(context, isBusy: true));
            application.MapGet(server.IdlePath, context => server.HoldAsync(context, isBusy: false));
        });
        return server;
    }

    public async Task SendAsync(int events)
    {
        var text = new StringBuilder();
        for (var n = 0; n < events; n++)
        {
            text.Append(CultureInfo.InvariantCulture, $"id: abcdefgh-{++_sent}\ndata: {Token.Now()}\n\n");
        }

        var bytes = Encoding.ASCII.GetBytes(text.ToString());
        foreach (var row in _readers.Chunk(WrittenInARow))
        {
            foreach (var reader in row)
            {
                await reader.WriteAsync(bytes);
            }

            // to Kestrel's own sends, before what they need is out of the processor's cache: without it this costs a tenth more
            await Task.Yield();
        }
    }

    public ValueTask DisposeAsync() => _application!.DisposeAsync();

    private async Task HoldAsync(HttpContext context, bool isBusy)
    {
        var body = context.Response.BodyWriter;
        context.Response.ContentType = "text/event-stream";
        if (isBusy)
        {
            lock (_readers)
            {
                _readers.Add(body);
            }
        }

        await body.WriteAsync("data: hello\n\n"u8.ToArray());
        await Never.Task;
    }
}
