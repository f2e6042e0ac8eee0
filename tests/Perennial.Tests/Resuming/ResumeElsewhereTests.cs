using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Resuming;

/// <summary>A process that reads slowly is killed in mid-answer, and another one goes on from the point that it saved.</summary>
public class ResumeElsewhereTests
{
    private const int Count = 300;

    private static readonly string Program = typeof(ResumeElsewhereTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(static each => string.Equals(each.Key, "SlowReader", StringComparison.Ordinal)).Value!;

    private readonly ConcurrentQueue<string> _requests = new();

    [Fact]
    public async Task After_a_kill_another_process_loses_and_repeats_nothing()
    {
        await using var app = await StartRunAsync();
        var address = new Uri(new Uri(app.Urls.Single()), "/start").ToString();
        var texts = new List<string>();
        var point = address;

        // Each process takes a few of the messages, all of which it has long received, and is killed.
        foreach (var take in (int[])[5, 1, 50])
        {
            point = await ReadAsync(point, take, texts, isKilled: true);
        }

        await ReadAsync(point, Count - texts.Count, texts, isKilled: false);

        texts.ShouldBe(Enumerable.Range(1, Count).Select(static i => i.ToString(CultureInfo.InvariantCulture)));
        _requests.ShouldBe(["POST ", "GET 5", "GET 6", "GET 56"]);
    }

    private static async Task<string> ReadAsync(string from, int take, List<string> texts, bool isKilled)
    {
        var start = new ProcessStartInfo("dotnet", [Program, from])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var point = from;
        try
        {
            for (var i = 0; i < take; i++)
            {
                await process.StandardInput.WriteLineAsync("next");
                await process.StandardInput.FlushAsync();
                var line = (await process.StandardOutput.ReadLineAsync().Soon()).ShouldNotBeNull().Split('\t');
                texts.Add(line[0]);
                point = line[1];
            }

            if (!isKilled)
            {
                await process.WaitForExitAsync().Soon();
                process.ExitCode.ShouldBe(0);
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync().Soon();
        }

        return point;
    }

    private async Task<WebApplication> StartRunAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(async context =>
        {
            var after = context.Request.Headers["Last-Event-ID"].ToString();
            _requests.Enqueue($"{context.Request.Method} {after}");
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.ContentLocation = "/runs/7";
            for (var i = 1 + (after.Length == 0 ? 0 : int.Parse(after, CultureInfo.InvariantCulture)); i <= Count; i++)
            {
                await context.Response.WriteAsync($"id: {i}\ndata: {i}\n\n", context.RequestAborted);
            }
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
