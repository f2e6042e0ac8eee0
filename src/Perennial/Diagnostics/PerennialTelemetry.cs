using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Perennial.Diagnostics;

/// <summary>The library's instruments, all under one name. Recording costs next to nothing while nobody listens.</summary>
public static class PerennialTelemetry
{
    /// <summary>The name of the <see cref="Meter"/> and of the <see cref="ActivitySource"/>.</summary>
    public const string Name = "Perennial";

    internal static ActivitySource Activities { get; } = new(Name);

    internal static Counter<long> Messages { get; }

    internal static Counter<long> Bytes { get; }

    internal static Counter<long> Connections { get; }

    internal static Counter<long> Reconnects { get; }

    internal static Counter<long> Dropped { get; }

    internal static Counter<long> Gaps { get; }

    internal static Counter<long> Errors { get; }

    internal static Counter<long> Sends { get; }

    internal static Counter<long> LateReplies { get; }

    internal static Histogram<double> TimeToFirstMessage { get; }

    internal static Histogram<double> HandOverLatency { get; }

    private static Meter Meter { get; } = new(Name);

    static PerennialTelemetry()
    {
        Messages = Meter.CreateCounter<long>("perennial.client.messages", "{message}", "Messages handed to the buffer.");
        Bytes = Meter.CreateCounter<long>("perennial.client.received", "By", "Bytes read from connections.");
        Connections = Meter.CreateCounter<long>("perennial.client.connections", "{connection}", "Connections established.");
        Reconnects = Meter.CreateCounter<long>("perennial.client.reconnects", "{attempt}", "Reconnect attempts, by error.type.");
        Dropped = Meter.CreateCounter<long>("perennial.client.dropped", "{message}", "Messages dropped because a buffer was full.");
        Gaps = Meter.CreateCounter<long>("perennial.client.gaps", "{gap}", "Gaps detected.");
        Errors = Meter.CreateCounter<long>("perennial.client.errors", "{error}", "Errors, by error.type.");
        Sends = Meter.CreateCounter<long>("perennial.client.sends", "{message}", "Messages sent.");
        LateReplies = Meter.CreateCounter<long>("perennial.client.late_replies", "{message}", "Replies dropped because nobody waited for them any more.");
        TimeToFirstMessage = Meter.CreateHistogram<double>("perennial.client.time_to_first_message", "s", "From connect to the first message.");
        HandOverLatency = Meter.CreateHistogram<double>("perennial.client.hand_over.duration", "s", "From the socket to the reader, once a batch.");
    }
}
