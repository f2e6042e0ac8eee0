using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Perennial.Diagnostics;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Diagnostics;

public class MetricsTests
{
    [Fact]
    public async Task A_snapshot_tells_the_whole_session()
    {
        var time = new ManualTimeProvider();
        await using var transport = new InMemoryTransport(
            new InMemoryTransportOptions { Reconnect = new ReconnectOptions { Jitter = false } }, new TransportServices { Time = time });
        var fresh = transport.GetMetrics();
        fresh.ShouldBe(new TransportMetrics { Id = transport.Id, Kind = "memory", State = TransportState.Idle });

        var handlerThrew = new TaskCompletionSource();
        transport.Connected += (_, _) =>
        {
            handlerThrew.TrySetResult();
            throw new InvalidOperationException("Broken by the test.");
        };
        await transport.ConnectAsync().Soon();
        await handlerThrew.Task.Soon();
        time.Advance(TimeSpan.FromSeconds(3));
        transport.Connection.Say("1", "22");
        await Patience.Until(() => transport.GetMetrics().MessagesReceived == 2, "two messages");
        time.Advance(TimeSpan.FromSeconds(2));
        await transport.ReadAllAsync().TextsAsync(1).Soon();
        await transport.SendAsync("four").Soon();

        var connected = transport.GetMetrics();
        connected.State.ShouldBe(TransportState.Connected);
        connected.ConnectedAt.ShouldBe(time.GetUtcNow() - TimeSpan.FromSeconds(5));
        connected.ConnectionDuration.ShouldBe(TimeSpan.FromSeconds(5));
        connected.TimeToFirstMessage.ShouldBe(TimeSpan.FromSeconds(3));
        connected.AverageLatency.ShouldBe(TimeSpan.FromSeconds(2));
        connected.LatencyP50.TotalSeconds.ShouldBeInRange(1.4, 2.9);
        connected.LatencyP99.ShouldBe(connected.LatencyP50);
        connected.LatencyP95.ShouldBe(connected.LatencyP50);
        connected.MessagesReceived.ShouldBe(2);
        connected.BytesReceived.ShouldBe(3);
        connected.BufferSize.ShouldBe(1);
        connected.MessagesSent.ShouldBe(1);
        connected.BytesSent.ShouldBe(4);
        connected.LastError.ShouldBeNull();

        transport.Connection.Break();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1)).Soon();
        var waiting = transport.GetMetrics();
        waiting.State.ShouldBe(TransportState.Reconnecting);
        waiting.ConnectedAt.ShouldBeNull();
        waiting.ConnectionDuration.ShouldBe(TimeSpan.Zero);
        waiting.ReconnectAttempts.ShouldBe(1);
        waiting.Errors.ShouldBe(1);
        waiting.LastError!.Code.ShouldBe(TransportErrorCode.ConnectionLost);

        time.Advance(TimeSpan.FromSeconds(1));
        await Patience.Until(() => transport.IsConnected, "connected again");
        transport.Connection.Say("3").Finish();
        await transport.Completion.Soon();
        await transport.ReadAllAsync().TextsAsync().Soon();
        await transport.DisposeAsync().Soon();

        var over = transport.GetMetrics();
        over.State.ShouldBe(TransportState.Closed);
        over.MessagesReceived.ShouldBe(3);
        over.Resumes.ShouldBe(1);
        over.Gaps.ShouldBe(0);
        over.Dropped.ShouldBe(0);
        over.Errors.ShouldBe(1);
        over.BufferSize.ShouldBe(0);
        over.HandlerErrors.ShouldBe(2);
    }

    [Fact]
    public async Task The_meter_counts_what_the_snapshot_counts()
    {
        var kind = "metered-" + Guid.NewGuid().ToString("N");
        var measured = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
        var tags = new ConcurrentBag<string>();
        using var listener = Listen(kind, measured, tags);
        var transport = new InMemoryTransport(
            new InMemoryTransportOptions
            {
                Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero },
                Buffer = new BufferOptions { Capacity = 2, FullMode = BufferFullMode.DropNewest },
            },
            kind: kind);
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1", "2", "3");
        transport.Connection.Script(static batch =>
        {
            batch.Add("no id"u8);
            return ReadOutcome.More;
        });
        await Patience.Until(() => transport.GetMetrics().MessagesReceived == 4, "the messages are dealt with");
        await transport.SendAsync("x").Soon();
        transport.Connection.Break();
        await Patience.Until(() => transport.Connections.Count == 2, "a second connection");
        transport.Connection.Finish();
        await transport.Completion.Soon();
        await transport.DisposeAsync().Soon();

        var metrics = transport.GetMetrics();
        measured["perennial.client.messages"].ShouldBe(metrics.MessagesReceived);
        measured["perennial.client.received"].ShouldBe(metrics.BytesReceived);
        measured["perennial.client.dropped"].ShouldBe(metrics.Dropped);
        measured["perennial.client.errors"].ShouldBe(metrics.Errors);
        measured["perennial.client.gaps"].ShouldBe(metrics.Gaps);
        measured["perennial.client.sends"].ShouldBe(metrics.MessagesSent);
        measured["perennial.client.reconnects"].ShouldBe(metrics.ReconnectAttempts);
        measured["perennial.client.connections"].ShouldBe(2);
        measured["perennial.client.time_to_first_message"].ShouldBeGreaterThan(0);
        (metrics.Dropped, metrics.Errors, metrics.Gaps, metrics.MessagesSent, metrics.ReconnectAttempts).ShouldBe((2, 1, 1, 1, 1));
        tags.Distinct().Order().ShouldBe(["error.type=ConnectionLost", $"perennial.transport={kind}"]);
    }

    [Fact]
    public async Task Every_attempt_to_connect_is_one_activity()
    {
        var kind = "traced-" + Guid.NewGuid().ToString("N");
        var activities = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => string.Equals(source.Name, PerennialTelemetry.Name, StringComparison.Ordinal),
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (kind.Equals(activity.GetTagItem("perennial.transport")))
                {
                    activities.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var transport = new InMemoryTransport(
            new InMemoryTransportOptions { Endpoint = new Uri("http://memory.test/?key=secret"), Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero } },
            open: static (transport, context, _) => context.Attempt < 2
                ? throw new TransportException(TransportErrorCode.ConnectFailed, "Refused by the test.", isTransient: true)
                : new ValueTask<TransportConnection>(transport.NewConnection()),
            kind: kind);

        await transport.ConnectAsync().Soon();

        activities.Select(static activity => (activity.OperationName, activity.Status, activity.GetTagItem("perennial.attempt"))).ShouldBe(
        [
            ("perennial.connect", ActivityStatusCode.Error, 0),
            ("perennial.connect", ActivityStatusCode.Error, 1),
            ("perennial.connect", ActivityStatusCode.Unset, 2),
        ]);
        activities.First().GetTagItem("error.type")!.ToString().ShouldBe("ConnectFailed");
        activities.First().GetTagItem("server.address").ShouldBe("memory.test");
        activities.SelectMany(static activity => activity.TagObjects).ShouldAllBe(static tag => !$"{tag.Value}".Contains("secret"));
    }

    private static MeterListener Listen(string kind, ConcurrentDictionary<string, double> measured, ConcurrentBag<string> seenTags)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (string.Equals(instrument.Meter.Name, PerennialTelemetry.Name, StringComparison.Ordinal))
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
            var isOurs = false;
            foreach (var tag in tags)
            {
                isOurs |= kind.Equals(tag.Value);
            }

            if (!isOurs)
            {
                return;
            }

            measured.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value);
            foreach (var (name, tag) in tags)
            {
                seenTags.Add($"{name}={tag}");
            }
        }
    }
}
