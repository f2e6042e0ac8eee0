using Perennial.AspNetCore;
using Perennial.TestServer;

// The server that the TypeScript client is tested against: runs that tests order, and lines to them that break. Ends with its input.
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
builder.Services.AddCors(static cors => cors.AddDefaultPolicy(static policy => policy
    .AllowAnyOrigin().WithMethods("GET", "HEAD", "POST", "DELETE").WithPerennialHeaders().SetPreflightMaxAge(TimeSpan.FromMinutes(10))));
builder.Services.AddPerennialServer(static server =>
{
    server.HeartbeatInterval = TimeSpan.FromMilliseconds(500);
    server.LongPollHold = TimeSpan.FromSeconds(1);
    server.MaxMessagesPerSecond = 1_000_000;
    server.MaxBytesPerRun = 64 << 20;
    server.WebSockets.AllowedOrigins.Add("*");
});

await using var app = builder.Build();
var runs = new OrderedRuns(app.Services.GetRequiredService<StreamRuns>());
await using var lines = new FaultyLines();
app.UseCors();
app.Use(runs.CountAsync);
app.UseRouting();
app.MapPerennial("/streams").AllowAnonymous();
app.MapPost("/start", (string name, int count, int? holdAfter) => runs.StartAsync(name, new RunOrder { Count = count, HoldAfter = holdAfter }));
app.MapGet("/starts/{name}", (string name) => runs.StartsOf(name));
app.MapPost("/runs", async (RunOrder order) => (await runs.StartAsync(order)).Id);
app.MapGet("/runs/{id}", (string id) => runs.StateOf(id));
app.MapPost("/runs/{id}/release", (string id) => runs.Release(id));
app.MapPost("/lines", (LineOrder order) => lines.Open(order));
app.MapGet("/lines/{id:int}", (int id) => lines.StateOf(id));
app.MapPost("/lines/{id:int}/{action}", (int id, string action) => lines.Act(id, action));
await app.StartAsync();
lines.Upstream = new Uri(app.Urls.First());
Console.WriteLine(lines.Upstream);
await Console.In.ReadToEndAsync();
await app.StopAsync();
