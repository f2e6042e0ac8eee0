using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Http;

/// <summary>A reader over <c>text/event-stream</c> (HTML standard, section 9.2).</summary>
internal sealed class SseSink(PipeWriter body, CancellationTokenSource stalled, TimeSpan limit) : BodySink(body, ReaderKind.Sse, stalled, limit)
{
    public override void Write(RunRecord record) => Add(record.SseFrame);

    public override void Write(ControlEvent control) => Add(control.Retry is { } delay
        ? Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"retry: {delay.TotalMilliseconds:0}\n\n"))
        : SseFrame.Encode(id: null, control.Content));

    public override void WriteHeartbeat() => Add(SseFrame.Heartbeat);
}
