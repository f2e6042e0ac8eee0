using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Perennial.AspNetCore.Diagnostics;

/// <summary>
/// The server's instruments, with names, units and attributes in the style of OpenTelemetry's semantic conventions. Recording costs almost
/// nothing without a listener.
/// </summary>
/// <remarks>
/// Attributes: <c>perennial.run.status</c> is the final status of a run, <c>perennial.form</c> the form of a reader or a message,
/// <c>perennial.outcome</c> the outcome of a message, and <c>perennial.reason</c> the reason of a refusal. No attribute contains the id of
/// a run, a header or a payload.
/// </remarks>
public static class PerennialServerTelemetry
{
    /// <summary>The name of the <see cref="Meter"/> and of the <see cref="ActivitySource"/>.</summary>
    public const string Name = "Perennial.AspNetCore";

    internal const string Form = "perennial.form";
    internal const string Outcome = "perennial.outcome";
    internal const string Reason = "perennial.reason";
    internal const string Status = "perennial.run.status";

    /// <summary>One activity for each run, from its start to its end.</summary>
    internal static ActivitySource Activities { get; } = new(Name);

    internal static UpDownCounter<long> ActiveRuns { get; }

    internal static Counter<long> EndedRuns { get; }

    internal static UpDownCounter<long> ActiveReaders { get; }

    internal static Counter<long> Events { get; }

    internal static Counter<long> Bytes { get; }

    internal static Counter<long> Delivered { get; }

    internal static Counter<long> Messages { get; }

    internal static Counter<long> Refusals { get; }

    internal static Counter<long> Gaps { get; }

    internal static Counter<long> Cuts { get; }

    internal static Histogram<double> DeliveryLatency { get; }

    private static Meter Meter { get; } = new(Name);

    /// <summary>Counts bytes sent to a reader.</summary>
    internal static void CountDelivered(string form, long bytes)
    {
        if (bytes > 0)
        {
            Delivered.Add(bytes, new KeyValuePair<string, object?>(Form, form));
        }
    }

    /// <summary>Counts a refused request or message.</summary>
    internal static void CountRefusal(string reason) => Refusals.Add(1, new KeyValuePair<string, object?>(Reason, reason));

    /// <summary>Counts a reader that was disconnected because it did not read.</summary>
    internal static void CountCut(string form) => Cuts.Add(1, new KeyValuePair<string, object?>(Form, form));

    static PerennialServerTelemetry()
    {
        ActiveRuns = Meter.CreateUpDownCounter<long>("perennial.server.active_runs", "{run}", "Runs being produced by this process.");
        EndedRuns = Meter.CreateCounter<long>("perennial.server.runs", "{run}", "Runs whose producer has ended, by perennial.run.status.");
        ActiveReaders =
            Meter.CreateUpDownCounter<long>("perennial.server.active_readers", "{reader}", "Readers being served, by perennial.form.");
        Events = Meter.CreateCounter<long>("perennial.server.events", "{event}", "Events recorded by producers.");
        Bytes = Meter.CreateCounter<long>("perennial.server.recorded", "By", "Data of events recorded by producers.");
        Delivered = Meter.CreateCounter<long>(
            "perennial.server.delivered", "By", "Bodies and messages passed to the network for readers, by perennial.form.");
        Refusals = Meter.CreateCounter<long>(
            "perennial.server.refusals", "{refusal}", "Requests and messages that were refused, by perennial.reason.");
        Messages = Meter.CreateCounter<long>(
            "perennial.server.messages", "{message}", "Messages to producers, by perennial.form and perennial.outcome.");
        Gaps = Meter.CreateCounter<long>("perennial.server.gaps", "{gap}", "Gaps announced to readers.");
        Cuts = Meter.CreateCounter<long>(
            "perennial.server.cuts", "{connection}", "Readers that were disconnected because they did not read, by perennial.form.");
        DeliveryLatency = Meter.CreateHistogram<double>(
            "perennial.server.delivery.duration", "s", "Time from recording an event to flushing it to a reader that waited.");
    }
}
