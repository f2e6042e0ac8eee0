using System.Buffers;
using System.IO.Pipelines;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Http;

/// <summary>A reader over <c>application/x-ndjson</c>.</summary>
internal sealed class JsonLinesSink(PipeWriter body) : IRunSink
{
    public void Write(RunRecord record) => body.Write(record.JsonLine);

    public void Write(ControlEvent control) => body.Write(JsonLine.Encode(id: null, control.Content));

    public void WriteHeartbeat() => body.Write(JsonLine.Heartbeat);

    public ValueTask FlushAsync(CancellationToken cancellationToken) => body.FlushAllAsync(cancellationToken);
}
