using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Perennial.Cli.Serve.Page;

/// <summary>Serves the page's files, which are built into the program.</summary>
internal static class SiteFiles
{
    private static readonly (string Path, string Name, string Type)[] Files =
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/demo.js", "demo.js", "text/javascript; charset=utf-8"),
        ("/demo.css", "demo.css", "text/css; charset=utf-8"),
    ];

    public static void Map(WebApplication app)
    {
        foreach (var (path, name, type) in Files)
        {
            app.MapMethods(path, [HttpMethods.Get], context => SendAsync(context.Response, name, type));
        }
    }

    private static async Task SendAsync(HttpResponse response, string name, string type)
    {
        response.ContentType = type;
        response.Headers.CacheControl = "no-cache";
        response.Headers.XContentTypeOptions = "nosniff";
        // The page reads streams through the fault proxies of Serve/Lines, each of which listens on a port of its own.
        response.Headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' http://127.0.0.1:* ws://127.0.0.1:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        await using var file = typeof(SiteFiles).Assembly.GetManifestResourceStream($"site/{name}")!;
        await file.CopyToAsync(response.Body, response.HttpContext.RequestAborted);
    }
}
