using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Perennial.Tests.Support;

/// <summary>
/// Kestrel with a finite stream of numbered events, which it continues after any <c>Last-Event-ID</c>. The events differ in size,
/// hardly compress, and are flushed one by one or in bursts.
/// </summary>
internal sealed class NumberedFeed : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly int _count;
    private readonly string _encoding;

    private NumberedFeed(int count, HttpProtocols protocol, string encoding, X509Certificate2? certificate)
    {
        _count = count;
        _encoding = encoding;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore()
            .UseKestrelHttpsConfiguration()
            .ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = protocol;
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        _app = builder.Build();
        _app.Run(ServeAsync);
    }

    public Uri Address => new(_app.Urls.Single());

    /// <summary>The HTTP versions of the requests so far.</summary>
    public ConcurrentQueue<string> Versions { get; } = [];

    /// <summary>Starts a feed.</summary>
    /// <param name="count">How many events there are.</param>
    /// <param name="protocol">HTTP/1.1, HTTP/2, or over TLS whichever of both the client prefers.</param>
    /// <param name="encoding">The content encoding: <c>gzip</c>, <c>br</c> or none.</param>
    /// <param name="certificate">For TLS; <see langword="null"/> for none.</param>
    public static async Task<NumberedFeed> StartAsync(
        int count, HttpProtocols protocol, string encoding = "", X509Certificate2? certificate = null)
    {
        var feed = new NumberedFeed(count, protocol, encoding, certificate);
        await feed._app.StartAsync(TestContext.Current.CancellationToken);
        return feed;
    }

    /// <summary>The id of the event with this number: not only ASCII.</summary>
    public static string Id(int number) => $"é{number}";

    /// <summary>What the event with this number says.</summary>
    public static string Text(int number)
    {
        var random = new Random(number);
        var bytes = new byte[random.Next(200)];
        random.NextBytes(bytes);
        return $"{number}:é\n{Convert.ToBase64String(bytes)}";
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task ServeAsync(HttpContext context)
    {
        Versions.Enqueue(context.Request.Protocol);
        var next = 1 + int.Parse(context.Request.Headers["Last-Event-ID"].FirstOrDefault()?[1..] ?? "0", CultureInfo.InvariantCulture);
        context.Response.ContentType = "text/event-stream";
        if (_encoding.Length > 0)
        {
            context.Response.Headers.ContentEncoding = _encoding;
        }

        await using var body = _encoding switch
        {
            "gzip" => new GZipStream(context.Response.Body, CompressionLevel.Fastest),
            "br" => new BrotliStream(context.Response.Body, CompressionLevel.Fastest),
            _ => context.Response.Body,
        };
        var random = new Random(next);
        for (var burst = 0; next <= _count; next++, burst--)
        {
            var data = Text(next).Replace("\n", "\ndata: ", StringComparison.Ordinal);
            await body.WriteAsync(Encoding.UTF8.GetBytes($"id: {Id(next)}\ndata: {data}\n\n"), context.RequestAborted);
            if (burst <= 0)
            {
                await body.FlushAsync(context.RequestAborted);
                burst = random.Next(20);
            }
        }
    }
}
