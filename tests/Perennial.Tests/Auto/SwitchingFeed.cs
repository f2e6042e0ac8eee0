using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Perennial.Tests.Auto;

/// <summary>
/// Kestrel with one numbered stream that speaks Perennial's protocol as SSE, JSON lines and answers to polls, after any
/// <c>Last-Event-ID</c>. It refuses a request at random, and cuts every stream somewhere at random.
/// </summary>
internal sealed class SwitchingFeed : IAsyncDisposable
{
    private const int LargestPiece = 100;

    private readonly WebApplication _app;
    private readonly int _count;
    private readonly Random _random;     // requests come one after the other

    private SwitchingFeed(int count, int seed)
    {
        (_count, _random) = (count, new Random(seed));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(ServeAsync);
    }

    public Uri Address => new(_app.Urls.Single());

    public static async Task<SwitchingFeed> StartAsync(int count, int seed)
    {
        var feed = new SwitchingFeed(count, seed);
        await feed._app.StartAsync(TestContext.Current.CancellationToken);
        return feed;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task ServeAsync(HttpContext context)
    {
        var accept = context.Request.Headers.Accept.ToString();
        var isSse = accept.Contains("event-stream", StringComparison.Ordinal) && _random.Next(2) == 0;
        if (context.Request.Headers.Upgrade.Count > 0 || _random.Next(4) == 0)
        {
            context.Response.StatusCode = context.Request.Headers.Upgrade.Count > 0 ? 426 : 504;
            return;
        }

        context.Response.ContentType = isSse ? "text/event-stream" : "application/x-ndjson";
        context.Response.Headers["Perennial-Protocol"] = "1";
        var first = 1 + int.Parse(context.Request.Headers["Last-Event-ID"].FirstOrDefault() ?? "0", CultureInfo.InvariantCulture);
        var end = Math.Min(_count + 1, first + _random.Next(1, LargestPiece));
        for (var number = first; number <= end; number++)
        {
            var isEnd = number > _count;
            await context.Response.WriteAsync(
                isSse ? Event(number, isEnd) : Envelope(number, isEnd), Encoding.UTF8, context.RequestAborted);
            if (_random.Next(10) == 0)
            {
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }

        if (end <= _count && _random.Next(4) == 0)
        {
            await context.Response.Body.FlushAsync(context.RequestAborted);
            context.Abort();        // else it ends in good order, and without a mark
        }
    }

    private static string Event(int number, bool isEnd) =>
        isEnd ? "event: perennial.completed\ndata: [DONE]\n\n" : $"id: {number}\ndata: {number}\n\n";

    private static string Envelope(int number, bool isEnd) =>
        isEnd ? """{"type":"perennial.completed","data":"[DONE]"}""" + "\n" : $$"""{"id":"{{number}}","data":"{{number}}"}""" + "\n";
}
