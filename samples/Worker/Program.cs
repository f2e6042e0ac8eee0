using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Perennial.Hosting;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddPerennial(builder.Configuration.GetSection("Perennial"));       // the streams are named in appsettings.json
builder.Services.AddHealthChecks().AddPerennialTransports();
builder.Services.AddHostedService<Reader>();
var app = builder.Build();
app.MapHealthChecks("/health");
app.MapGet("/feeds/{name}", (string name, CancellationToken ct) => TypedResults.ServerSentEvents(FeedAsync(name, ct)));     // something to read
await app.RunAsync();

static async IAsyncEnumerable<SseItem<string>> FeedAsync(string name, [EnumeratorCancellation] CancellationToken ct)
{
    for (var number = 1; ; number++)
    {
        yield return new SseItem<string>($"{name} {number}") { EventId = $"{number}" };
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, ct);
    }
}

/// <summary>Reads all streams at the same time, for as long as the host runs.</summary>
internal sealed class Reader(NamedTransports transports) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(transports.Names.Select(async name =>
    {
        await foreach (var message in transports.Get(name).ReadAllAsync(stoppingToken))
        {
            Console.WriteLine($"{name}: {message.Text}");
        }
    }));
}
