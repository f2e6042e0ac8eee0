using Microsoft.Extensions.AI;
using Perennial;
using Perennial.AspNetCore;
using Perennial.Gateway;
using Perennial.Http;
using Perennial.Sqlite;
using Perennial.Sse;

// One program with a model provider, a gateway before it, a run of its own in a file, and clients of both.
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.Services.AddPerennialServer().AddSqliteStore("runs.db");
builder.Services.AddPerennialGateway();
var app = builder.Build();
app.Urls.Add("http://127.0.0.1:0");
app.MapPerennial("/streams").AllowAnonymous();
app.MapPost("/chat", (StreamRuns runs) => runs.Start(async (writer, ct) =>
{
    foreach (var word in "Native and whole.".Split(' '))
    {
        await writer.WriteAsync($"{word} ", cancellationToken: ct);
    }
}));
app.MapPost("/provider/v1/chat/completions", async (HttpContext context) =>
{
    context.Response.ContentType = "text/event-stream";
    foreach (var word in new[] { "Paid ", "once." })
    {
        await context.Response.WriteAsync(
            $$$"""data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"{{{word}}}"},"finish_reason":null}]}""" + "\n\n");
    }

    await context.Response.WriteAsync(
        """data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""" + "\n\ndata: [DONE]\n\n");
});
var upstream = new TaskCompletionSource<string>();
app.Lifetime.ApplicationStarted.Register(() => upstream.SetResult(app.Urls.First()));
await app.StartAsync();
var server = await upstream.Task;

var gateway = WebApplication.CreateSlimBuilder(args);
gateway.Logging.ClearProviders();
gateway.Services.AddPerennialGateway();
await using var front = gateway.Build();
front.Urls.Add("http://127.0.0.1:0");
front.MapPerennialGateway("/openai", $"{server}/provider");
await front.StartAsync();

await Read($"{server}/chat");
await Read($"{front.Urls.First()}/openai/v1/chat/completions");
using var chat = new PerennialChatClient(new Uri($"{server}/none"));
Console.WriteLine(chat.GetService<ChatClientMetadata>()?.ProviderUri);
await app.StopAsync();

static async Task Read(string url)
{
    await using var transport = new SseTransport(new SseTransportOptions
    {
        Endpoint = new Uri(url),
        Method = HttpMethod.Post,
        Body = RequestBody.Text("""{"stream":true}""", "application/json"),
    });
    var length = 0;
    await foreach (var message in transport.ReadAllAsync())
    {
        length += message.Data.Length;
    }

    Console.WriteLine($"{(await transport.Completion).Reason}: {length} bytes");
}
