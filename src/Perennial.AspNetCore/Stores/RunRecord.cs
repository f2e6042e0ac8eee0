using System.Diagnostics;
using Perennial.AspNetCore.Diagnostics;
using Perennial.Wire;

namespace Perennial.AspNetCore.Stores;

/// <summary>One numbered record of a run: an event, or the end. Immutable; safe from any thread.</summary>
/// <remarks>
/// It encodes itself once for each form in which it is read, when it is first read so. A store that hands the same object to all readers on
/// its node therefore spares them the work.
/// </remarks>
public sealed class RunRecord
{
    private readonly string _epoch;
    private byte[]? _sseFrame;      // two readers may both encode, and either result stands
    private byte[]? _jsonLine;

    /// <summary>Creates a record.</summary>
    /// <param name="epoch">The epoch of the run.</param>
    /// <param name="sequence">Its number in the run, from 1.</param>
    /// <param name="content">What it says.</param>
    public RunRecord(string epoch, long sequence, RunEvent content)
    {
        ArgumentException.ThrowIfNullOrEmpty(epoch);
        ArgumentOutOfRangeException.ThrowIfLessThan(sequence, 1);
        _epoch = epoch;
        Sequence = sequence;
        Content = content;
        CreatedAt = PerennialServerTelemetry.DeliveryLatency.Enabled ? Stopwatch.GetTimestamp() : 0;
    }

    /// <summary>When this process had it; 0 where nobody wants to know.</summary>
    internal long CreatedAt { get; }

    /// <summary>Its number in the run, from 1.</summary>
    public long Sequence { get; }

    /// <summary>What it says.</summary>
    public RunEvent Content { get; }

    /// <summary>The event in <c>text/event-stream</c>.</summary>
    internal byte[] SseFrame => _sseFrame ??= Wire.SseFrame.Encode(EventId, Content.EventType, Content.Data.Span, Kind);

    /// <summary>The event as a JSON line.</summary>
    internal byte[] JsonLine => _jsonLine ??= Envelope.EncodeLine(EventId, Content.EventType, Content.Data.Span, Kind);

    private RunEventId EventId => new(_epoch, Sequence);

    private PayloadKind Kind => (PayloadKind)Content.Kind;      // the numbers are the same
}
