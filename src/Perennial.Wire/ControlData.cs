using System.Text.Json;

namespace Perennial.Wire;

/// <summary>The data of the events that announce the end of a stream, a gap or a retry delay (docs/protocol.md). Pure.</summary>
internal static class ControlData
{
    /// <summary>Data of <c>perennial.completed</c> and <c>perennial.stopped</c>: the end marker that common AI clients expect.</summary>
    public static ReadOnlySpan<byte> Done => "[DONE]"u8;

    /// <summary>Data of <c>perennial.failed</c>.</summary>
    public static byte[] Failure(string message, string code) =>
        JsonSerializer.SerializeToUtf8Bytes(new FailureData(new FailureDetail(message, code)), WireJson.Default.FailureData);

    /// <summary>Data of <c>perennial.gap</c>.</summary>
    /// <param name="requested">The id that the server cannot resume after.</param>
    /// <param name="resumesAt">The id of the next event.</param>
    public static byte[] Gap(string requested, RunEventId resumesAt) =>
        JsonSerializer.SerializeToUtf8Bytes(new GapData(requested, resumesAt.ToString()), WireJson.Default.GapData);

    /// <summary>Data of <c>perennial.retry</c>.</summary>
    public static byte[] Retry(TimeSpan delay) =>
        JsonSerializer.SerializeToUtf8Bytes(new RetryData((long)delay.TotalMilliseconds), WireJson.Default.RetryData);

    /// <summary>Reads <c>perennial.retry</c>: <c>{"delay":1500}</c>, in milliseconds. Returns null if the data holds no delay.</summary>
    public static TimeSpan? ReadRetry(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isDelay = reader.ValueTextEquals("delay"u8);
                reader.Read();
                if (isDelay)
                {
                    return reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var delay) && delay >= 0
                        ? TimeSpan.FromMilliseconds(Math.Min(delay, int.MaxValue))
                        : null;
                }

                reader.Skip();
            }
        }
        catch (JsonException)
        {
            // The data is not valid JSON: it holds no delay.
        }

        return null;
    }
}
