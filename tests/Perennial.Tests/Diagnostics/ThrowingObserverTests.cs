using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Diagnostics;

/// <summary>A logger, a listener or a handler that throws is counted, and changes nothing about how a stream ends.</summary>
public class ThrowingObserverTests
{
    [Theory(Timeout = Patience.Hang)]
    [InlineData("completed", StreamEndReason.Completed)]
    [InlineData("failed", StreamEndReason.Failed)]
    [InlineData("gave up", StreamEndReason.Failed)]
    public async Task A_logger_that_throws_changes_no_ending(string ending, StreamEndReason reason)
    {
        await using var transport = Transport($"logger {ending}", new TransportServices { LoggerFactory = new ThrowingLogger() });

        await ShouldEndAsync(transport, ending, reason);

        transport.GetMetrics().HandlerErrors.ShouldBeGreaterThan(0);
    }

    [Theory(Timeout = Patience.Hang)]
    [InlineData("completed", StreamEndReason.Completed)]
    [InlineData("failed", StreamEndReason.Failed)]
    [InlineData("gave up", StreamEndReason.Failed)]
    public async Task A_meter_listener_that_throws_changes_no_ending(string ending, StreamEndReason reason)
    {
        var kind = $"meter {ending}";
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, self) =>
        {
            if (instrument.Meter.Name is PerennialTelemetry.Name)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => ThrowIfOf(kind, tags));
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) => ThrowIfOf(kind, tags));
        listener.Start();
        await using var transport = Transport(kind);

        await ShouldEndAsync(transport, ending, reason);

        transport.GetMetrics().HandlerErrors.ShouldBeGreaterThan(0);
    }

    [Theory(Timeout = Patience.Hang)]
    [InlineData("sample")]
    [InlineData("started")]
    [InlineData("stopped")]
    public async Task An_activity_listener_that_throws_changes_no_ending(string when)
    {
        using var mine = new Activity("test").Start();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is PerennialTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                when is "sample" && IsMine(options.Links)
                    ? throw new InvalidOperationException("listener")
                    : ActivitySamplingResult.AllData,
            ActivityStarted = activity => ThrowIf(when is "started" && IsMine(activity.Links)),
            ActivityStopped = activity => ThrowIf(when is "stopped" && IsMine(activity.Links)),
        };
        ActivitySource.AddActivityListener(listener);
        await using var transport = Transport($"activity {when}");

        await ShouldEndAsync(transport, "completed", StreamEndReason.Completed);

        transport.GetMetrics().HandlerErrors.ShouldBeGreaterThan(0);

        bool IsMine(IEnumerable<ActivityLink>? links) => links?.Any(link => link.Context.TraceId == mine.TraceId) ?? false;
    }

    [Fact(Timeout = Patience.Hang)]
    public async Task A_logger_that_throws_hides_no_event_from_a_handler()
    {
        await using var transport = new InMemoryTransport(services: new TransportServices { LoggerFactory = new ThrowingLogger() });
        transport.Connected += static (_, _) => throw new InvalidOperationException("handler");
        var journal = new EventJournal(transport);

        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1").Finish();
        await journal.UntilClosed();

        journal.Entries.ShouldBe(["connecting 0", "connected 0", "message 1", "completed Completed", "closed Completed"]);
    }

    [Fact(Timeout = Patience.Hang)]
    public async Task A_logger_that_throws_does_not_keep_a_dead_peer_alive()
    {
        var time = new ManualTimeProvider();
        await using var transport = new InMemoryTransport(
            new InMemoryTransportOptions { IdleTimeout = TimeSpan.FromSeconds(1), Reconnect = new ReconnectOptions { Enabled = false } },
            new TransportServices { LoggerFactory = new ThrowingLogger(), Time = time });
        await transport.ConnectAsync().Soon();
        await Patience.Until(() => transport.Connection.Reads == 1, "a read");

        time.Advance(TimeSpan.FromSeconds(2));

        (await transport.Completion.Soon()).Error.ShouldNotBeNull().Code.ShouldBe(TransportErrorCode.IdleTimeout);
        await transport.CloseAsync().Soon();
    }

    private static InMemoryTransport Transport(string kind, TransportServices? services = null) => new(
        new InMemoryTransportOptions { Reconnect = new ReconnectOptions { MaxAttempts = 1, InitialDelay = TimeSpan.Zero } },
        services,
        static (transport, _, _) => transport.Attempts == 1
            ? new ValueTask<TransportConnection>(transport.NewConnection())
            : throw new TransportException(TransportErrorCode.ConnectFailed, "Refused by the test.", isTransient: true),
        kind);

    /// <summary>Reads one message and then the end, by a sequence, and closes and disposes of what has ended.</summary>
    private static async Task ShouldEndAsync(InMemoryTransport transport, string ending, StreamEndReason reason)
    {
        var texts = new List<string>();
        var reading = Task.Run(async () =>
        {
            await foreach (var message in transport.ReadAllAsync())
            {
                texts.Add(message.Text);
            }
        });
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1");
        if (ending is "completed")
        {
            transport.Connection.Finish();
        }
        else
        {
            transport.Connection.Break(isTransient: ending is "gave up");
        }

        (await transport.Completion.Soon()).Reason.ShouldBe(reason);
        var thrown = await Record.ExceptionAsync(() => reading.Soon());
        (thrown is null).ShouldBe(reason == StreamEndReason.Completed);
        texts.ShouldBe(["1"]);
        await transport.CloseAsync().Soon();
        await transport.DisposeAsync().Soon();
    }

    private static void ThrowIfOf(string kind, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var tag in tags)
        {
            ThrowIf(Equals(tag.Value, kind));
        }
    }

    private static void ThrowIf(bool condition)
    {
        if (condition)
        {
            throw new InvalidOperationException("listener");
        }
    }

    private sealed class ThrowingLogger : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => throw new InvalidOperationException("logger");

        public bool IsEnabled(LogLevel logLevel) => throw new InvalidOperationException("logger");

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("logger");
    }
}
