using System.IO.Pipelines;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Http;

/// <summary>A reader over <c>text/event-stream</c> (HTML standard, section 9.2).</summary>
internal sealed class SseSink(
    PipeWriter body, CancellationTokenSource stalled, TimeSpan limit) : BodySink(body, ReaderKind.Sse, stalled, limit)
{
    public override void Write(RunRecord record) => Add(record.SseFrame);

    public override void Write(ControlEvent control) => Add(control.EncodeSse());

    public override void WriteHeartbeat() => Add(SseFrame.Heartbeat);
}
