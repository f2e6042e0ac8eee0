using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Perennial.AspNetCore;
using Perennial.Diagnostics;
using Perennial.Management;
using Perennial.Sse;

using var tracing = Sdk.CreateTracerProviderBuilder()
    .AddSource(PerennialTelemetry.Name)
    .AddProcessor(new SimpleActivityExportProcessor(new Printer.Activities()))
    .Build();
using var metering = Sdk.CreateMeterProviderBuilder()
    .AddMeter(PerennialTelemetry.Name)
    .AddReader(new BaseExportingMetricReader(new Printer.Metrics()))
    .Build();

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddPerennialServer();
var app = builder.Build();
app.MapPerennial("/streams").AllowAnonymous();
app.MapPost("/chat", (StreamRuns runs) => runs.Start(async (writer, ct) =>
{
    foreach (var word in "What happens can be seen.".Split(' '))
    {
        await writer.WriteAsync($"{word} ", cancellationToken: ct);
    }
}));
await app.StartAsync();

await using var manager = new TransportManager();
var transport = manager.Create(new SseTransportOptions { Endpoint = new Uri($"{app.Urls.First()}/chat"), Method = HttpMethod.Post });
await foreach (var message in transport.ReadAllAsync())
{
    Console.Write(message.Text);
}

Console.WriteLine();
metering.ForceFlush();
