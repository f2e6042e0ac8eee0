using Perennial.AspNetCore;
using Perennial.Sse;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddPerennialServer();
var app = builder.Build();
app.MapPerennial("/streams").AllowAnonymous();
app.MapPost("/chat", (StreamRuns runs) => runs.Start(async (writer, ct) =>
{
    foreach (var word in "Every change comes on one thread.".Split(' '))
    {
        await writer.WriteAsync($"{word} ", cancellationToken: ct);
    }
}));
await app.StartAsync();

UserInterfaceThread.Run(async () =>
{
    var thread = Environment.CurrentManagedThreadId;
    var ended = new TaskCompletionSource();
    await using var model = new StreamViewModel(new SseTransport(new SseTransportOptions
    {
        Endpoint = new Uri($"{app.Urls.First()}/chat"),
        Method = HttpMethod.Post,
    }));
    model.PropertyChanged += (_, e) =>
    {
        var isHere = Environment.CurrentManagedThreadId == thread;
        Console.WriteLine($"{(isHere ? "" : "WRONG THREAD ")}{e.PropertyName}: {(e.PropertyName is nameof(model.Text) ? model.Text : model.State)}");
        if (model.State.StartsWith("ended", StringComparison.Ordinal))
        {
            ended.TrySetResult();
        }
    };
    await model.ReadAsync();
    await ended.Task;
});
