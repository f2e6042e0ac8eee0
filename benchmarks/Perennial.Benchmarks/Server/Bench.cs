using System.Globalization;

namespace Perennial.Benchmarks.Server;

/// <summary>One server on one core and its readers on the other.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private const int ServerCore = 0;
    private const int ReaderCore = 1;

    private readonly Child _server;
    private readonly Child _readers;
    private readonly string _origin;

    private Bench(Child server, Child readers, string[] announced)
    {
        (_server, _readers, _origin) = (server, readers, announced[0]);
        (Control, BusyPath, IdlePath) = (announced[1], announced[2], announced[3]);
    }

    public string Control { get; }

    public string BusyPath { get; }

    public string IdlePath { get; }

    /// <summary>Starts both. Events are asked of the server itself, or of the node that produces what it serves.</summary>
    public static async Task<Bench> StartAsync(string name, string[] settings, string? control = null)
    {
        var server = Child.Ourselves(["serve", name, .. settings], ServerCore);
        var announced = (await server.AnswerAsync()).Split(' ');
        var bench = new Bench(server, Child.Ourselves(["count"], ReaderCore), announced);
        await bench._readers.AskAsync($"control {control ?? bench.Control}");
        return bench;
    }

    public Task OpenBusyAsync(int count, string form) => OpenAsync("busy", count, form, BusyPath);

    public Task OpenIdleAsync(int count, string form) => OpenAsync("idle", count, form, IdlePath);

    /// <summary>Has events sent to the busy readers, so many at a time, each time after all have had those before.</summary>
    /// <returns>What it cost the server per message that was delivered.</returns>
    public async Task<Sample> SendAsync(int readers, int steps, int eventsPerStep)
    {
        await _server.AskAsync(Serving.Reset);
        var seconds = Numbers(await _readers.AskAsync(string.Create(CultureInfo.InvariantCulture, $"go {steps} {eventsPerStep}")))[0];
        var cost = Numbers(await _server.AskAsync(Serving.Cost));
        double messages = (long)readers * steps * eventsPerStep;
        return new Sample(cost[0] / messages, cost[1] / messages, messages / seconds);
    }

    /// <summary>From the call that appends an event to the event in the hands of the readers.</summary>
    public async Task<(double Median, double High)> LatencyAsync(int steps, TimeSpan interval)
    {
        var times = Numbers(
            await _readers.AskAsync(string.Create(CultureInfo.InvariantCulture, $"latency {steps} {interval.TotalMilliseconds:0}")));
        return (times[0], times[1]);
    }

    /// <summary>Bytes the server holds after a collection, and bytes of memory the process takes.</summary>
    public async Task<(double Managed, double Resident)> MemoryAsync()
    {
        var bytes = Numbers(await _server.AskAsync(Serving.Memory));
        return (bytes[0], bytes[1]);
    }

    public async ValueTask DisposeAsync()
    {
        await _readers.DisposeAsync();
        await _server.DisposeAsync();
    }

    private async Task OpenAsync(string kind, int count, string form, string path) =>
        await _readers.AskAsync(string.Create(CultureInfo.InvariantCulture, $"{kind} {count} {form} {_origin}{path}"));

    private static double[] Numbers(string answer) =>
        Array.ConvertAll(answer.Split(' '), text => double.Parse(text, CultureInfo.InvariantCulture));
}
