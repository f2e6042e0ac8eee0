using System.IO.Pipelines;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Http;

/// <summary>A reader over <c>application/x-ndjson</c>.</summary>
internal sealed class JsonLinesSink(
    PipeWriter body, CancellationTokenSource stalled, TimeSpan limit) : BodySink(body, ReaderKind.JsonLines, stalled, limit)
{
    public override void Write(RunRecord record) => Add(record.JsonLine);

    public override void Write(ControlEvent control) => Add(control.EncodeLine());

    public override void WriteHeartbeat() => Add(Envelope.HeartbeatLine);
}
