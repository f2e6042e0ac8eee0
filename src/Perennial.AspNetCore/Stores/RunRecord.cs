using System.Diagnostics;
using Perennial.AspNetCore.Diagnostics;
using Perennial.Wire;

namespace Perennial.AspNetCore.Stores;

/// <summary>One numbered record of a run: an event, or the end. Immutable; safe from any thread.</summary>
/// <remarks>
/// It is encoded once for each form, when a reader first needs that form. So a store should return the same object to all readers on its
/// node.
/// </remarks>
public sealed class RunRecord
{
    private readonly string _epoch;
    private byte[]? _sseFrame;      // two readers may both encode; the results are equal
    private byte[]? _jsonLine;

    /// <summary>Creates a record.</summary>
    /// <param name="epoch">The epoch of the run.</param>
    /// <param name="sequence">Its number in the run, from 1.</param>
    /// <param name="content">The event.</param>
    public RunRecord(string epoch, long sequence, RunEvent content)
    {
        ArgumentException.ThrowIfNullOrEmpty(epoch);
        ArgumentOutOfRangeException.ThrowIfLessThan(sequence, 1);
        _epoch = epoch;
        Sequence = sequence;
        Content = content;
        CreatedAt = PerennialServerTelemetry.DeliveryLatency.Enabled ? Stopwatch.GetTimestamp() : 0;
    }

    /// <summary>The time at which this process created the object; 0 if the delivery is not measured.</summary>
    internal long CreatedAt { get; }

    /// <summary>Gets its number in the run, from 1.</summary>
    public long Sequence { get; }

    /// <summary>
    /// Gets the id that readers get: the epoch of the run and the sequence, such as <c>k3xq7a2m-17</c>. Each call creates the text again.
    /// </summary>
    public string Id => EventId.ToString();

    /// <summary>Gets the event.</summary>
    public RunEvent Content { get; }

    /// <summary>The event in <c>text/event-stream</c>.</summary>
    internal byte[] SseFrame => _sseFrame ??= Wire.SseFrame.Encode(EventId, Content.EventType, Content.Data.Span, Kind);

    /// <summary>The event as a JSON line.</summary>
    internal byte[] JsonLine => _jsonLine ??= Envelope.EncodeLine(EventId, Content.EventType, Content.Data.Span, Kind);

    private RunEventId EventId => new(_epoch, Sequence);

    private PayloadKind Kind => (PayloadKind)Content.Kind;      // the numbers are the same
}
