using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Perennial.Diagnostics;

/// <summary>
/// The library's metrics and activities, all under one name. Names, units and attributes follow OpenTelemetry's semantic conventions.
/// Recording costs almost nothing while no listener is registered.
/// </summary>
/// <remarks>
/// Attributes: <c>perennial.transport</c> is the kind of transport, <c>error.type</c> a <see cref="TransportErrorCode"/>,
/// <c>server.address</c> and <c>server.port</c> an origin. No attribute contains any other part of a URL, a header or a payload.
/// </remarks>
public static class PerennialTelemetry
{
    /// <summary>The name of the <see cref="Meter"/> and of the <see cref="ActivitySource"/>.</summary>
    public const string Name = "Perennial";

    internal static ActivitySource Activities { get; } = new(Name);

    internal static SafeInstrument<long> Messages { get; }

    internal static SafeInstrument<long> Bytes { get; }

    internal static SafeInstrument<long> Connections { get; }

    internal static SafeInstrument<long> Reconnects { get; }

    internal static SafeInstrument<long> Dropped { get; }

    internal static SafeInstrument<long> Gaps { get; }

    internal static SafeInstrument<long> Errors { get; }

    internal static SafeInstrument<long> Sends { get; }

    internal static SafeInstrument<long> LateReplies { get; }

    internal static SafeInstrument<long> Resumes { get; }

    internal static SafeInstrument<long> ActiveConnections { get; }

    internal static SafeInstrument<long> BrokenOrigins { get; }

    internal static SafeInstrument<double> SendDuration { get; }

    internal static SafeInstrument<double> PingDuration { get; }

    internal static SafeInstrument<double> TimeToFirstMessage { get; }

    internal static SafeInstrument<double> HandOverLatency { get; }

    private static Meter Meter { get; } = new(Name);

    static PerennialTelemetry()
    {
        Messages = Counter("perennial.client.messages", "{message}", "Messages put into the buffer.");
        Bytes = Counter("perennial.client.received", "By", "Bytes read from connections.");
        Connections = Counter("perennial.client.connections", "{connection}", "Connections established.");
        Reconnects = Counter("perennial.client.reconnects", "{attempt}", "Reconnect attempts, by error.type.");
        Dropped = Counter("perennial.client.dropped", "{message}", "Messages dropped because a buffer was full.");
        Gaps = Counter("perennial.client.gaps", "{gap}", "Gaps detected.");
        Errors = Counter("perennial.client.errors", "{error}", "Errors, by error.type.");
        Sends = Counter("perennial.client.sends", "{message}", "Messages sent.");
        LateReplies = Counter("perennial.client.late_replies", "{message}", "Replies dropped because their request had ended.");
        Resumes = Counter("perennial.client.resumes", "{connection}", "Connections that resumed after an id.");
        ActiveConnections = UpDownCounter("perennial.client.active_connections", "{connection}", "Open connections.");
        BrokenOrigins = UpDownCounter("perennial.client.origins.broken", "{origin}", "Origins whose circuit breaker is not closed.");
        TimeToFirstMessage = Duration("perennial.client.time_to_first_message", "From connect to the first message.");
        HandOverLatency = Duration("perennial.client.hand_over.duration", "From the socket to the reader, sampled once per batch.");
        SendDuration =
            Duration("perennial.client.send.duration", "From the call to the outcome of the send, including the wait in the queue.");
        PingDuration = Duration("perennial.client.ping.duration", "From a ping to the next bytes from the peer.");
    }

    private static SafeInstrument<long> Counter(string name, string unit, string description)
    {
        var counter = Meter.CreateCounter<long>(name, unit, description);
        return new SafeInstrument<long>(counter, counter.Add);
    }

    private static SafeInstrument<long> UpDownCounter(string name, string unit, string description)
    {
        var counter = Meter.CreateUpDownCounter<long>(name, unit, description);
        return new SafeInstrument<long>(counter, counter.Add);
    }

    /// <summary>
    /// Creates a histogram of durations with buckets from 0.1 ms on, because the SDK's default buckets assume milliseconds.
    /// </summary>
    private static SafeInstrument<double> Duration(string name, string description)
    {
        var histogram = Meter.CreateHistogram(
            name,
            "s",
            description,
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] });
        return new SafeInstrument<double>(histogram, histogram.Record);
    }
}
