using System.Diagnostics;
using System.Globalization;
using Perennial.Sse;

namespace Perennial.Benchmarks;

/// <summary>
/// Time to the first event of a new stream (<c>idle</c>), and from event to event where each is followed by a cut (<c>cut</c>). Prints the
/// median in ms.
/// </summary>
internal static class Latency
{
    private const int WarmUp = 100;
    private const int Samples = 1000;
    private static readonly HttpClient Http = new();

    public static async Task RunAsync(string reader, string path, string server)
    {
        var uri = new Uri($"{server}/{path}");
        var times = (reader, path) switch
        {
            ("floor", "idle") => await ConnectAsync(() => FloorFirstEventAsync(uri)),
            ("floor", "cut") => await FloorCutsAsync(uri),
            ("perennial", "idle") => await ConnectAsync(() => PerennialFirstEventAsync(uri)),
            ("perennial", "cut") => await PerennialCutsAsync(uri),
            _ => throw new ArgumentException($"No latency of {reader} over {path}.", nameof(reader)),
        };
        Console.WriteLine(times.Skip(WarmUp).Order().ElementAt(Samples / 2).TotalMilliseconds.ToString(CultureInfo.InvariantCulture));
    }

    private static async Task<List<TimeSpan>> ConnectAsync(Func<Task<IAsyncDisposable>> openToFirstEvent)
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < WarmUp + Samples; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var open = await openToFirstEvent();
            times.Add(Stopwatch.GetElapsedTime(start));
            await open.DisposeAsync();
        }

        return times;
    }

    private static async Task<IAsyncDisposable> FloorFirstEventAsync(Uri uri)
    {
        var response = await Http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead);
        var body = await response.Content.ReadAsStreamAsync();
        _ = await body.ReadAsync(new byte[256]);
        return body;
    }

    private static async Task<IAsyncDisposable> PerennialFirstEventAsync(Uri uri)
    {
        var transport = new SseTransport(new SseTransportOptions { Endpoint = uri });
        await using var messages = transport.ReadAllAsync().GetAsyncEnumerator();
        await messages.MoveNextAsync();
        return transport;
    }

    private static async Task<List<TimeSpan>> FloorCutsAsync(Uri uri)
    {
        var times = new List<TimeSpan>();
        var last = Stopwatch.GetTimestamp();
        for (var i = 0; i < WarmUp + Samples; i++)
        {
            try
            {
                await using var body = await Http.GetStreamAsync(uri);
                _ = await body.ReadAsync(new byte[256]);
                times.Add(Stopwatch.GetElapsedTime(last));
                last = Stopwatch.GetTimestamp();
                _ = await body.ReadAsync(new byte[256]);
            }
            catch (IOException)
            {
                // The cut.
            }
        }

        return times;
    }

    private static async Task<List<TimeSpan>> PerennialCutsAsync(Uri uri)
    {
        var times = new List<TimeSpan>();
        await using var transport = new SseTransport(new SseTransportOptions
        {
            Endpoint = uri,

            // Each connection sends the event with the same id, which is no progress: the attempts are not counted anew.
            Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero, Jitter = false, MaxAttempts = ReconnectOptions.Unlimited },
        });
        var last = Stopwatch.GetTimestamp();
        await foreach (var _ in transport.ReadAllAsync())
        {
            times.Add(Stopwatch.GetElapsedTime(last));
            last = Stopwatch.GetTimestamp();
            if (times.Count == WarmUp + Samples)
            {
                break;
            }
        }

        return times;
    }
}
