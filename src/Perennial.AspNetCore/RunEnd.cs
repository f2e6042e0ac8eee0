using System.Text.Json;

namespace Perennial.AspNetCore;

/// <summary>The last record of a log: how the run ended, as every reader will be told.</summary>
/// <remarks>
/// The data is what common AI clients understand without knowing Perennial: <c>[DONE]</c> ends their sequence, an <c>error</c> object throws.
/// </remarks>
internal sealed record RunEnd(RunStatus Status, ReadOnlyMemory<byte> Data)
{
    private static readonly byte[] Done = "[DONE]"u8.ToArray();

    public static RunEnd Completed { get; } = new(RunStatus.Completed, Done);

    public static RunEnd Stopped { get; } = new(RunStatus.Stopped, Done);

    public static RunEnd Failed(string message, string code) =>
        new(RunStatus.Failed, JsonSerializer.SerializeToUtf8Bytes(new ErrorBody(new ErrorDetail(message, code)), WireJson.Default.ErrorBody));

    public string EventType => WireNames.ReservedEventPrefix + WireNames.Of(Status);
}
