using System.Collections.Concurrent;
using System.Diagnostics;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Management;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Management;
using Perennial.Tests.Support;
using Perennial.Tests.WebSockets;
using Perennial.WebSockets;

namespace Perennial.Tests.Diagnostics;

/// <summary>What an application with the OpenTelemetry SDK gets to see, from end to end.</summary>
[Collection(nameof(Alone))]
public class OpenTelemetryTests
{
    private const string Secret = "hunter2-of-the-test";

    [Fact]
    public async Task A_stream_with_a_lost_connection_is_told_in_metrics_and_activities()
    {
        using var telemetry = new Telemetry();
        await using var server = ScriptedServer.Start(
            static async exchange =>
            {
                await exchange.StartEventStreamAsync();
                await exchange.WriteChunkAsync(EventStreams.Events(1, 2));
                await exchange.ResetAsync();
            },
            static exchange => exchange.RespondAsync(503),
            static exchange => exchange.StreamAndWaitAsync(3, 4));
        await using var manager = new TransportManager(Managed.Options with { MaxTransports = 4 });
        using var source = new ActivitySource("test");
        var transport = manager.Create(new SseTransportOptions
        {
            Endpoint = new Uri(server.Address, $"/stream?key={Secret}"),
            Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero },
        });
        using (var reading = source.StartActivity("reading"))
        {
            (await transport.ReadAllAsync().TextsAsync(3).Soon()).ShouldBe(["1", "2", "3"]);
            var attempts = telemetry.Activities;
            attempts.Select(static activity =>
                (activity.DisplayName, activity.Kind, activity.Status, activity.GetTagItem("error.type"), activity.GetTagItem("perennial.attempt"))).ShouldBe(
            [
                ("perennial.connect", ActivityKind.Client, ActivityStatusCode.Unset, null, 0),
                ("perennial.connect", ActivityKind.Client, ActivityStatusCode.Error, "HttpStatus", 1),
                ("perennial.connect", ActivityKind.Client, ActivityStatusCode.Unset, null, 2),
            ]);
            attempts.ShouldAllBe(
                activity => activity.Links.Single().Context.SpanId == reading!.SpanId && activity.TraceId != reading.TraceId);
            attempts.ShouldAllBe(activity =>
                server.Address.Host.Equals(activity.GetTagItem("server.address"))
                    && server.Address.Port.Equals(activity.GetTagItem("server.port")));
            server.Requests.Select(static request => request.Headers["traceparent"].Single()[..35]).ShouldBe(
                attempts.Select(static activity => $"00-{activity.TraceId}"));
        }

        await Patience.Until(() => transport.GetMetrics().BufferSize == 1, "a message waits");
        var measured = telemetry.Collect();
        Value("perennial.client.transports", "{transport}", "perennial.state=Connected perennial.transport=sse").ShouldBe(1);
        Value("perennial.client.pool.utilization", "1", "").ShouldBe(0.25);
        Value("perennial.client.buffer.usage", "{message}", "perennial.transport=sse").ShouldBe(1);
        Value("perennial.client.connections", "{connection}", "perennial.transport=sse").ShouldBe(2);
        Value("perennial.client.active_connections", "{connection}", "perennial.transport=sse").ShouldBe(1);
        Value("perennial.client.resumes", "{connection}", "perennial.transport=sse").ShouldBe(1);
        Value("perennial.client.messages", "{message}", "perennial.transport=sse").ShouldBe(4);
        Value("perennial.client.received", "By", "perennial.transport=sse").ShouldBe(transport.GetMetrics().BytesReceived);
        Value("perennial.client.reconnects", "{attempt}", "error.type=ConnectionLost perennial.transport=sse").ShouldBe(1);
        Value("perennial.client.reconnects", "{attempt}", "error.type=HttpStatus perennial.transport=sse").ShouldBe(1);
        Recorded("perennial.client.time_to_first_message").ShouldBe(1);
        Recorded("perennial.client.hand_over.duration").ShouldBeGreaterThan(0);
        foreach (var each in measured)
        {
            TestContext.Current.TestOutputHelper!.WriteLine($"{each.Name} [{each.Unit}] {{{each.Tags}}} {each.Sum} ({each.Count})");
            $"{each}".ShouldNotContain(Secret);
        }

        await manager.DisposeAsync().Soon();
        measured = telemetry.Collect();
        Value("perennial.client.active_connections", "{connection}", "perennial.transport=sse").ShouldBe(0);

        double Value(string name, string unit, string tags) =>
            measured.Single(each => (each.Name, each.Unit, each.Tags).Equals((name, unit, tags))).Sum;
        long Recorded(string name) => measured.Single(each => (each.Name, each.Unit).Equals((name, "s"))).Count;
    }

    [Fact]
    public async Task Sends_and_pings_are_measured()
    {
        using var telemetry = new Telemetry();
        var time = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(ServerSocket.Script(static async socket =>
        {
            while (await socket.ReceiveAsync() is { Opcode: not 8 } frame)
            {
                if (frame.Opcode == 9)
                {
                    await socket.SendAsync(new Frame(10, frame.Payload));
                }
            }
        }));
        await using var probe =
            new TransportProbe(new WebSocketTransport(Sockets.OptionsFor(server.Address), new TransportServices { Time = time }));
        await probe.Transport.ConnectAsync().Soon();
        await probe.Transport.SendAsync("hello").Soon();
        (await probe.Transport.SendAsync(new byte[10], new CancellationToken(canceled: true)).Soon().ShouldThrowAsync<OperationCanceledException>())
            .ShouldNotBeNull();

        time.Advance(TimeSpan.FromSeconds(15));
        await Patience.Until(() => probe.Transport.GetMetrics().LastPingRoundTrip is not null, "a pong");

        probe.Transport.GetMetrics().LastPingRoundTrip.ShouldBe(TimeSpan.Zero);     // no time passes by itself
        probe.Transport.GetMetrics().LastHeartbeatAt.ShouldBe(time.GetUtcNow());
        var measured = telemetry.Collect();
        measured.Where(static each => each.Name is "perennial.client.send.duration")
            .Select(static each => (each.Unit, each.Tags, each.Count))
            .ShouldBe(
            [("s", "perennial.transport=websocket", 1), ("s", "error.type=System.Threading.Tasks.TaskCanceledException perennial.transport=websocket", 1)],
            ignoreOrder: true);
        measured.Single(static each => each.Name is "perennial.client.ping.duration").Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_secret_is_found_nowhere_whatever_goes_wrong()
    {
        using var telemetry = new Telemetry();
        var logs = new LogSink();
        var told = new ConcurrentQueue<string>();
        await using var manager = new TransportManager(
            Managed.Options with { CircuitBreaker = new CircuitBreakerOptions { Failures = 3, BreakTime = TimeSpan.FromMilliseconds(500), MaxBreakTime = TimeSpan.FromMilliseconds(500) } },
            new TransportServices { LoggerFactory = logs });
        ListenToAll(manager.Events, told);
        foreach (var script in Scripts)
        {
            await using var server = ScriptedServer.Start(script);
            var endpoint = new UriBuilder(server.Address) { Path = "/stream", Query = $"key={Secret}", UserName = Secret, Password = Secret, Fragment = Secret }.Uri;
            var headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Authorization"] = $"Bearer {Secret}", ["X-Api-Key"] = Secret, ["Cookie"] = Secret };
            var reconnect = new ReconnectOptions { MaxAttempts = 2, InitialDelay = TimeSpan.Zero };
            await Task.WhenAll(
                RunAsync(
                    manager.Create(
                        new SseTransportOptions { Endpoint = endpoint, Headers = headers, Body = RequestBody.Text(Secret), AllowReplay = true, Reconnect = reconnect, LastEventId = Secret })),
                RunAsync(manager.Create(new HttpStreamTransportOptions { Endpoint = endpoint, Headers = headers, Reconnect = reconnect })),
                RunAsync(manager.Create(new LongPollTransportOptions { Endpoint = endpoint, Headers = headers, Reconnect = reconnect })),
                RunAsync(
                    manager.Create(
                        new WebSocketTransportOptions { Endpoint = endpoint, Headers = headers, Reconnect = reconnect, SubProtocols = [Secret] })));
            server.Requests.ShouldContain(static request => request.Headers["X-Api-Key"].Contains(Secret));
            Tell(manager.CheckHealth());
            await manager.CloseAllAsync().Soon();
        }

        foreach (var (_, text, exception) in logs.Lines)
        {
            told.Enqueue($"log {text} {exception}");
        }

        foreach (var activity in telemetry.Activities.Where(static activity => activity.Source.Name is not "test"))
        {
            told.Enqueue(
                $"activity {activity.DisplayName} {activity.StatusDescription} {string.Join(' ', activity.TagObjects)} {string.Join(' ', activity.Events.SelectMany(static e => e.Tags))} {string.Join(' ', activity.Baggage)}");
        }

        foreach (var measured in telemetry.Collect())
        {
            told.Enqueue($"metric {measured}");
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{told.Count} texts searched");
        foreach (var what in (string[])["log", "activity", "metric", "ManagedEvent`1[[", "ManagerHealth", "perennial.client.origins.broken", "ConnectionLost", "HttpStatus", "RedirectRefused", "ProtocolViolation", "ServerFailed"])
        {
            told.ShouldContain(line => line.Contains(what.TrimEnd('[')), what);
        }

        told.ShouldAllBe(static line => !line.Contains(Secret));

        async Task RunAsync(Transport transport)
        {
            var sending = transport.SendAsync(Secret);
            try
            {
                // A stream that delivers and breaks goes on for ever.
                foreach (var text in await transport.ReadAllAsync().TextsAsync(5).Soon())
                {
                    told.Enqueue($"message {text.Length}");
                }
            }
            catch (TransportException e)
            {
                told.Enqueue($"exception {e}");
            }

            await transport.CloseAsync().Soon();
            told.Enqueue($"send {(await sending.Soon().ContinueWith(static task => task, TaskScheduler.Default)).Exception}");
            Tell(transport.GetMetrics(), manager.GetHealth(transport.Id)!, manager.GetSummary(), await transport.Completion);
        }

        void Tell(params object[] values)
        {
            foreach (var value in values)
            {
                told.Enqueue($"{value.GetType().Name} {value}");
            }

            foreach (var health in values.OfType<ManagerHealth>().SelectMany(static health => health.Transports))
            {
                told.Enqueue($"health {health}");
            }
        }
    }

    /// <summary>Ways to fail, with the secret wherever a server can put it.</summary>
    private static IEnumerable<Func<ScriptedExchange, Task>> Scripts =>
    [
        static exchange => exchange.RespondAsync(401, Secret, ("WWW-Authenticate", Secret)),
        static exchange => exchange.RespondAsync(503, Secret, ("X-Reason", Secret)),
        static exchange => exchange.RespondAsync(302, Secret, ("Location", $"ftp://{Secret}@127.0.0.1/{Secret}?{Secret}")),
        static exchange => exchange.RespondAsync(302, Secret, ("Location", $"/stream/{Secret}?key={Secret}")),
        static exchange => exchange.RespondAsync(200, Secret, ("Content-Type", $"text/{Secret.Replace('-', '.')}")),
        static exchange => exchange.WriteAsync($"{Secret} {Secret}\r\n\r\n"),
        static exchange =>
        {
            exchange.Reset();
            return Task.CompletedTask;
        },
        static async exchange =>
        {
            await exchange.StartEventStreamAsync(("Perennial-Protocol", "1"));
            await exchange.WriteChunkAsync(
                $"id: {Secret}\nevent: {Secret}\ndata: {Secret}\n\nevent: perennial.failed\ndata: {{\"error\":{{\"message\":\"{Secret}\",\"code\":\"boom\"}}}}\n\n");
            await exchange.ResetAsync();
        },
        static async exchange =>
        {
            await exchange.StartChunkedAsync("application/x-ndjson");
            await exchange.WriteChunkAsync($"{{\"a\":\"{Secret}\"}}\n{Secret}\n{{\"type\":\"error\",\"message\":\"{Secret}\"}}\n");
            await exchange.ResetAsync();
        },
    ];

    private static void ListenToAll(ManagerEvents events, ConcurrentQueue<string> told)
    {
        events.Connecting += (_, e) => Add(e, e.Event);
        // an id is data, and the event is for whoever reads it
        events.Connected += (_, e) => Add(e, e.Event with { ResumedFrom = null });
        events.Reconnecting += (_, e) => Add(e, e.Event);
        events.Completed += (_, e) => Add(e, e.Event);
        events.ErrorOccurred += (_, e) => Add(e, e.Event);
        events.Closed += (_, e) => Add(e, e.Event);
        events.Removed += (_, e) => told.Enqueue($"{e}");
        events.Unhealthy += (_, e) => told.Enqueue($"{e}");

        void Add<T>(ManagedEvent<T> e, T happened) => told.Enqueue($"{typeof(ManagedEvent<T>).Name} {e.Id} {happened}");
    }
}
