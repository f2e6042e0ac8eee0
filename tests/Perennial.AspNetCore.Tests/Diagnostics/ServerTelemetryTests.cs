using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Perennial.AspNetCore.Diagnostics;

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
            var run = server.Runs.Start(
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
                await Task.Yield();
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
        await server.Runs.Start((_, _) => throw new InvalidDataException("password=hunter2")).Completion;

        ended.Select(activity => (activity.OperationName, activity.GetTagItem("perennial.run.status"), activity.Status)).ShouldBe(
        [
            ("perennial.run", "completed", ActivityStatusCode.Unset),
            ("perennial.run", "failed", ActivityStatusCode.Error),
        ]);
    }

    private static MeterListener Listen(ConcurrentDictionary<string, double> sums)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name is PerennialServerTelemetry.Name)
                    listener.EnableMeasurementEvents(instrument);
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
                name += $" {tag.Value}";
            sums.AddOrUpdate(name, value, (_, sum) => sum + value);
        }
    }
}
