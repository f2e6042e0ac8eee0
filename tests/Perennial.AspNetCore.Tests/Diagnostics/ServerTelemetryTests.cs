using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Tests.WebSockets;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Diagnostics;

/// <summary>What the server tells of itself by instruments. Alone in the process, because instruments are one for all hosts.</summary>
[Collection(nameof(ServerTelemetryTests))]
[CollectionDefinition(nameof(ServerTelemetryTests), DisableParallelization = true)]
public class ServerTelemetryTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task Instruments_say_what_happened_and_are_even_in_the_end()
    {
        var sums = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
        using var listener = Listen(sums);
        await using (var server = await RunServer.StartAsync())
        {
            var go = new TaskCompletionSource();
            var run = await server.Runs.StartAsync(
                async (writer, stop) =>
                {
                    await go.Task;
                    await writer.WriteAsync("12345", cancellationToken: stop);
                },
                new RunOptions { OnMessage = (_, _) => Task.CompletedTask });
            using var response = await server.OpenAsync(run, "elsewhere-7");
            using var posted = await server.Client.PostAsync(RunServer.PathOf(run), new StringContent("x"), TestEnds);
            sums["perennial.server.active_runs"].ShouldBe(1);
            sums["perennial.server.active_readers sse"].ShouldBe(1);
            go.SetResult();
            await response.Content.ReadAsStringAsync(TestEnds);
            while (!sums.ContainsKey("perennial.server.runs completed"))
            {
                await Task.Yield();
            }
        }

        sums["perennial.server.active_runs"].ShouldBe(0);
        sums["perennial.server.active_readers sse"].ShouldBe(0);
        sums["perennial.server.runs completed"].ShouldBe(1);
        sums["perennial.server.events"].ShouldBe(1);
        sums["perennial.server.recorded"].ShouldBe(5);
        sums["perennial.server.messages post accepted"].ShouldBe(1);
        sums["perennial.server.gaps"].ShouldBe(1);
        sums["perennial.server.delivery.duration"].ShouldBeGreaterThan(0);
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("text/event-stream", "sse")]
    [InlineData("application/x-ndjson", "json_lines")]
    [InlineData("application/json", "long_poll")]
    public async Task Bytes_are_counted_as_they_are_delivered(string accept, string form)
    {
        var sums = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
        using var listener = Listen(sums);
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("one", "two");

        var body = await server.ReadAsync(run, accept: accept);

        sums[$"perennial.server.delivered {form}"].ShouldBe(body.Length);
        await EvenAsync(sums);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Bytes_over_a_socket_are_those_of_its_messages()
    {
        var sums = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
        using var listener = Listen(sums);
        await using var server = await RunServer.StartAsync();
        await using var client = await SocketClient.OpenAsync(server, await server.FinishedRunAsync("one", "two"));

        var messages = await client.ReadToEndAsync();

        sums["perennial.server.delivered websocket"].ShouldBe(messages.Sum(message => message.Length));
        await EvenAsync(sums);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Refusals_are_counted_by_their_reason()
    {
        var sums = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
        using var listener = Listen(sums);
        await using var server = await RunServer.StartAsync(
            options => (options.MaxMessageBytes, options.MaxMessagesPerSecond, options.MaxReadersPerRun, options.MaxRuns) = (10, 3, 1, 1),
            decide: endpoints => endpoints.AuthorizeRuns(access => ValueTask.FromResult(access.Action != RunAction.Stop)));
        await using var open = await OpenRun.StartAsync(server);
        var path = RunServer.PathOf(open.Run);
        using var reading = await server.OpenAsync(open.Run);

        await RefusedAsync(
            HttpStatusCode.RequestEntityTooLarge, () => server.Client.PostAsync(path, new StringContent("much too large"), TestEnds));
        await RefusedAsync(
            HttpStatusCode.UnsupportedMediaType,
            () => server.Client.PostAsync(path, new StringContent("<a/>", null, "text/xml"), TestEnds));
        using (await server.Client.PostAsync(path, new StringContent("x"), TestEnds))
        {
            await RefusedAsync(HttpStatusCode.TooManyRequests, () => server.Client.PostAsync(path, new StringContent("x"), TestEnds));
        }

        await RefusedAsync(HttpStatusCode.TooManyRequests, () => server.OpenAsync(open.Run));
        await RefusedAsync(HttpStatusCode.Forbidden, () => server.Client.DeleteAsync(path, TestEnds));
        await RefusedAsync(HttpStatusCode.NotFound, () => server.Client.GetAsync("/streams/none", TestEnds));

        sums.Where(sum =>
            sum.Key.StartsWith("perennial.server.refusals", StringComparison.Ordinal)).OrderBy(sum => sum.Key, StringComparer.Ordinal)
            .Select(sum => (sum.Key.Split(' ')[1], sum.Value)).ShouldBe(
            [("forbidden", 1), ("not_found", 1), ("payload_too_large", 1), ("run_full", 1), ("too_many_messages", 1), ("unsupported_media_type", 1)]);
        await open.Run.StopAsync(TestEnds);
        await EvenAsync(sums);

        static async Task RefusedAsync(HttpStatusCode status, Func<Task<HttpResponseMessage>> ask)
        {
            using var response = await ask();
            response.StatusCode.ShouldBe(status);
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Refusals_and_cuts_over_a_socket_are_counted_too()
    {
        var sums = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
        using var listener = Listen(sums);
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(
            options => (options.MaxMessageBytes, options.ReaderStallLimit) = (10, TimeSpan.FromMinutes(7)), time: clock,
            decide: endpoints => endpoints.AuthorizeRuns(access => ValueTask.FromResult(access.Action != RunAction.Stop)));
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);
        await client.NameAsync("AAAAAAAAAAAAAAAAAAAAAA", next: 1, received: 0);
        await client.SendNumberedAsync(1, "\"much too large\"");
        await client.SendAsync("""{"type":"perennial.stop"}""");
        (await client.ReceiveAsync()).ShouldNotBeNull().ShouldContain("payload_too_large");
        (await client.ReceiveAsync()).ShouldNotBeNull().ShouldContain("forbidden");

        var block = new string('x', 64 * 1024);
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            for (var n = 0; n < 200; n++)
            {
                await writer.WriteAsync(block, cancellationToken: stop);
            }
        });
        await using var stalled = await SocketClient.OpenAsync(server, run);
        await run.Completion;
        while (!sums.ContainsKey("perennial.server.cuts websocket"))
        {
            clock.Advance(TimeSpan.FromMinutes(7));
            await Task.Yield();
        }

        sums["perennial.server.refusals payload_too_large"].ShouldBe(1);
        sums["perennial.server.refusals forbidden"].ShouldBe(1);
        await open.Run.StopAsync(TestEnds);
        await EvenAsync(sums);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_is_an_activity_from_its_start_to_its_end()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is PerennialServerTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var server = await RunServer.StartAsync();

        await server.FinishedRunAsync("one");
        await (await server.Runs.StartAsync((_, _) => throw new InvalidDataException("password=hunter2"))).Completion;

        ended.Select(activity => (activity.OperationName, activity.GetTagItem("perennial.run.status"), activity.Status)).ShouldBe(
        [
            ("perennial.run", "completed", ActivityStatusCode.Unset),
            ("perennial.run", "failed", ActivityStatusCode.Error),
        ]);
    }

    /// <summary>Waits until every run has left, so that the next test counts its own alone.</summary>
    private static async Task EvenAsync(ConcurrentDictionary<string, double> sums)
    {
        while (sums["perennial.server.active_runs"] != 0)
        {
            await Task.Yield();
        }
    }

    private static MeterListener Listen(ConcurrentDictionary<string, double> sums)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name is PerennialServerTelemetry.Name)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();
        return listener;

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var name = instrument.Name;
            foreach (var tag in tags)
            {
                name += $" {tag.Value}";
            }

            sums.AddOrUpdate(name, value, (_, sum) => sum + value);
        }
    }
}
