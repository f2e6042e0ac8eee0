using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore;
using Perennial.Cli.Demo;
using Perennial.Cli.Serve.Content;

namespace Perennial.Cli.Serve.Page;

/// <summary>The demo page. Streams use lines on ports of their own, so that the faults of a line do not affect the controls.</summary>
/// <param name="pause">The pause before each word of an answer, or <see langword="null"/> for the pace of a model.</param>
/// <param name="isStepped">Whether an answer waits for messages to its run instead.</param>
internal sealed class DemoPage(TimeSpan? pause, bool isStepped) : IServedContent
{
    /// <summary>Short, so that a visitor soon sees the client detect a stalled line.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);

    private readonly DemoAnswers _answers = new(Readme.Read(), pause, isStepped);
    private readonly LineTraffic _traffic = new();
    private DemoLines? _lines;      // from BeginAsync on

    public void Configure(PerennialServerOptions server)
    {
        server.FinishedRunRetention = TimeSpan.FromHours(Math.Max(1, server.FinishedRunRetention.TotalHours));
        server.HeartbeatInterval = Heartbeat;
    }

    /// <summary>Answers go on after a restart, if the runs are kept in a file or a database.</summary>
    public void AddResumptions(PerennialServerBuilder server) => server.AddResumption(DemoAnswers.Resumption, _answers.ResumeAsync);

    /// <summary>Adds the two ports behind the lines: one direct, and one behind a buffering proxy.</summary>
    public void Listen(KestrelServerOptions kestrel)
    {
        kestrel.Listen(IPAddress.Loopback, 0);
        kestrel.Listen(IPAddress.Loopback, 0);
    }

    public void Map(WebApplication app)
    {
        app.Use(_traffic.PassAsync);
        app.UseRouting();
        SiteFiles.Map(app);
        var runs = app.Services.GetRequiredService<StreamRuns>();
        app.MapMethods("/demo/answers", [HttpMethods.Post], SameOrigin.Only(context => _answers.StartAsync(context, runs)));
        app.MapMethods("/demo/lines", [HttpMethods.Post], SameOrigin.Only(context => _lines!.OpenAsync(context)));
        app.MapMethods("/demo/lines/{line}/{action}", [HttpMethods.Post], SameOrigin.Only(context => _lines!.ActAsync(context)));
    }

    public Task<IReadOnlyList<string>> BeginAsync(WebApplication app, Uri address)
    {
        var inner = app.Urls.TakeLast(2).Select(url => new Uri(url)).ToArray();
        _traffic.Begin(address.Port, plainPort: inner[0].Port, bufferedPort: inner[1].Port);
        _lines = new DemoLines(inner[0], inner[1]);
        return Task.FromResult<IReadOnlyList<string>>([$"The demo page is at {address}"]);
    }

    public ValueTask DisposeAsync() => _lines?.DisposeAsync() ?? ValueTask.CompletedTask;
}
