using System.Text.Json;
using Perennial.Wire;

namespace Perennial.Engine;

/// <summary>Reads what a message with a <see cref="StreamSignal"/> says. A payload that says it otherwise is described in general words.</summary>
internal static class SignalPayload
{
    /// <summary>A gap: <c>{"requested":"…","resumesAt":"…"}</c>.</summary>
    public static GapEvent ToGap(in StreamMessage message) =>
        new(GapReason.AnnouncedByServer, Member(message, "requested"), Member(message, "resumesAt"));

    /// <summary>A failure: <c>{"error":{"message":"…","code":"…"}}</c>, or the same members at the top.</summary>
    public static TransportException ToFailure(in StreamMessage message) => ToError(in message, "The server failed to go on.", isTransient: false);

    /// <summary>An error the stream survives.</summary>
    public static TransportException ToRecoverableError(in StreamMessage message) =>
        ToError(in message, "The server reports an error in the stream.", isTransient: true);

    private static TransportException ToError(in StreamMessage message, string what, bool isTransient)
    {
        var (said, code) = ServerError.FromJson(message.Data);
        return new TransportException(TransportErrorCode.ServerFailed, what, isTransient) { ServerMessage = said, ServerCode = code };
    }

    /// <summary>A message that is not what it should be. Its payload stays out of the error.</summary>
    public static TransportException ToMalformed(in StreamMessage message) =>
        new(TransportErrorCode.InvalidMessage, $"A message of {message.Data.Length} bytes is not JSON; it was left out.", isTransient: true);

    private static string? Member(in StreamMessage message, params ReadOnlySpan<string> path)
    {
        try
        {
            using var document = JsonDocument.Parse(message.Data);
            var element = document.RootElement;
            foreach (var name in path)
            {
                if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                {
                    return null;
                }
            }

            return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        }
        // Half a surrogate pair is valid JSON, but no string: reading it is an InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
