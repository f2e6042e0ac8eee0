using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using BlazorServer;
using Perennial.Hosting;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddRazorComponents();
builder.Services.AddPerennial();
builder.Services.AddSingleton<LiveTicks>().AddHostedService(provider => provider.GetRequiredService<LiveTicks>());
var app = builder.Build();
app.UseAntiforgery();
app.MapRazorComponents<BlazorServer.Page>();
app.MapGet("/live", (LiveTicks live, CancellationToken ct) => TypedResults.ServerSentEvents(live.WatchAsync(ct)));
app.MapGet("/ticks", (CancellationToken ct) => TypedResults.ServerSentEvents(TicksAsync(ct)));       // something to read; it drops the line at times
await app.RunAsync();

static async IAsyncEnumerable<SseItem<string>> TicksAsync([EnumeratorCancellation] CancellationToken ct)
{
    for (var tick = 1; tick < 100; tick++)
    {
        yield return new SseItem<string>($"tick {tick}") { EventId = $"{tick}" };
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, ct);
    }
}
