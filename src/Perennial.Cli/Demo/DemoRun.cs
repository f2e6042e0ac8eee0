using System.Globalization;
using Perennial.Cli.Terminal;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.WebSockets;

namespace Perennial.Cli.Demo;

/// <summary>
/// One run of the demo: a server, and for each transport a faulty line and a reader. Prints one line for each at the end.
/// </summary>
internal static class DemoRun
{
    /// <summary>Much longer than the pause between two tokens, and short enough to abandon a stalled connection soon.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMilliseconds(250);

    /// <summary>How often the head of the response to the POST is lost before one arrives.</summary>
    private const int LostHeads = 3;

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    private static readonly ReconnectOptions Reconnect = new()
    {
        MaxAttempts = 20,
        InitialDelay = TimeSpan.FromMilliseconds(20),
        MaxDelay = TimeSpan.FromMilliseconds(100),
    };

    /// <summary>
    /// The transports that read the stream side by side, and whether each notices every cut. Long polling does not: a cut between two polls
    /// hits an idle connection.
    /// </summary>
    private static readonly (string Name, Func<Uri, Transport> Create, bool NoticesAll)[] Readers =
    [
        ("websocket", endpoint => new WebSocketTransport(Shared(new WebSocketTransportOptions { Endpoint = endpoint })), true),
        ("sse", endpoint => new SseTransport(Shared(new SseTransportOptions { Endpoint = endpoint })), true),
        ("http-stream", endpoint => new HttpStreamTransport(Shared(new HttpStreamTransportOptions { Endpoint = endpoint })), true),
        ("long-poll", Poll, false),
    ];

    private static LongPollTransport Poll(Uri endpoint) =>
        new(Shared(new LongPollTransportOptions { Endpoint = endpoint, Interval = PollInterval }));

    /// <summary>Starts its stream by POST and repeats the POST after a loss: the server starts one run for its key.</summary>
    private static SseTransport Post(Uri endpoint) => new(Shared(new SseTransportOptions
    {
        Endpoint = endpoint,
        Method = HttpMethod.Post,
        Body = RequestBody.Text("Recite the README."),
        AllowReplay = true,
    }));

    private static T Shared<T>(T options)
        where T : HttpTransportOptions => options with { IdleTimeout = IdleTimeout, Reconnect = Reconnect };

    /// <summary>Runs to the end of the stream and returns the exit code.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<int> RunAsync(int seed, int cuts, CancellationToken cancellationToken)
    {
        var script = DemoScript.FromReadme();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{script.Tokens.Count:N0} tokens, {cuts} cuts, seed {seed}"));
        await using var server = await DemoServer.StartAsync(script, cancellationToken);
        var faults = new FaultSchedule(seed, cuts, script.LeastBytes);
        DemoLane[] lanes =
        [
            .. Readers.Select(reader => DemoLane.Start(
                reader.Name, server.Stream, faults, script, reader.Create, reader.NoticesAll ? faults.Cuts : 1)),
            DemoLane.Start("sse-post", server.Chat, faults.AfterLostHeads(LostHeads), script, Post, faults.Cuts, () => server.Productions),
        ];
        try
        {
            var reading = Task.WhenAll(lanes.Select(lane => lane.ReadAsync(cancellationToken)));
            IDemoView view = Console.IsOutputRedirected ? new LineView() : new LiveView();
            await view.ShowAsync(lanes, reading);
            await reading;
        }
        finally
        {
            foreach (var lane in lanes)
            {
                await lane.DisposeAsync();
            }
        }

        foreach (var lane in lanes)
        {
            Console.WriteLine(lane.Verdict);
        }

        return lanes.All(lane => lane.HasKeptItsPromise) ? ExitCode.Success : ExitCode.Failed;
    }
}
