using System.Text.Json;
using Perennial.Wire;

namespace Perennial.Engine;

/// <summary>
/// Reads the payload of a message with a <see cref="StreamSignal"/>. If the payload has another form, a general description replaces it.
/// </summary>
internal static class SignalPayload
{
    /// <summary>Reads a gap: <c>{"requested":"…","resumesAt":"…"}</c>.</summary>
    public static GapEvent ToGap(in StreamMessage message) => new GapEvent
    {
        Reason = GapReason.AnnouncedByServer,
        RequestedId = Member(message, "requested"),
        ResumesAt = Member(message, "resumesAt"),
    };

    /// <summary>Reads a failure: <c>{"error":{"message":"…","code":"…"}}</c>, or the same members at the top level.</summary>
    public static TransportException ToFailure(in StreamMessage message) =>
        ToError(in message, "The run failed on the server.", isTransient: false);

    /// <summary>Reads an error after which the stream continues.</summary>
    public static TransportException ToRecoverableError(in StreamMessage message) =>
        ToError(in message, "The server reported an error in the stream.", isTransient: true);

    private static TransportException ToError(in StreamMessage message, string what, bool isTransient)
    {
        var (said, code) = ServerError.FromJson(message.Data);
        return new TransportException(TransportErrorCode.ServerFailed, what, isTransient) { ServerMessage = said, ServerCode = code };
    }

    /// <summary>Creates the error for a malformed message. It does not contain the payload.</summary>
    public static TransportException ToMalformed(in StreamMessage message) =>
        new(TransportErrorCode.InvalidMessage, $"A message of {message.Data.Length} bytes is not JSON; it was skipped.", isTransient: true);

    private static string? Member(in StreamMessage message, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(message.Data);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
                ? member.GetString()
                : null;
        }
        // Half a surrogate pair is valid JSON, but no string: reading it is an InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
