using Perennial.AspNetCore;
using Perennial.Sse;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddPerennialServer();
var app = builder.Build();
app.MapPerennial("/streams").AllowAnonymous();
app.MapPost("/chat", (StreamRuns runs) => runs.Start(async (writer, ct) =>
{
    foreach (var word in "A dropped line loses nothing.".Split(' '))
    {
        await writer.WriteAsync($"{word} ", cancellationToken: ct);
    }
}));
await app.StartAsync();

await using var transport = new SseTransport(new SseTransportOptions
{
    Endpoint = new Uri($"{app.Urls.First()}/chat"),
    Method = HttpMethod.Post,
});
transport.Reconnecting += (_, e) => Console.Error.WriteLine($"Line lost; attempt {e.Attempt} in {e.Delay}.");
await foreach (var message in transport.ReadAllAsync())
{
    Console.Write(message.Text);
}

Console.WriteLine((await transport.Completion).Reason);
