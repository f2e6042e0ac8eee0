using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Http;

/// <summary>A reader over <c>text/event-stream</c> (HTML standard, section 9.2).</summary>
internal sealed class SseSink(PipeWriter body) : IRunSink
{
    public void Write(RunRecord record) => body.Write(record.SseFrame);

    public void Write(ControlEvent control) => body.Write(control.Retry is { } delay
        ? Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"retry: {delay.TotalMilliseconds:0}\n\n"))
        : SseFrame.Encode(id: null, control.Content));

    public void WriteHeartbeat() => body.Write(SseFrame.Heartbeat);

    public ValueTask FlushAsync(CancellationToken cancellationToken) => body.FlushAllAsync(cancellationToken);
}
