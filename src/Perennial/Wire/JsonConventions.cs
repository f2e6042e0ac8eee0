using System.Text.Json;

namespace Perennial;

/// <summary>
/// Conventions of common servers for JSON messages that mean more than their payload. <c>{"type":"done"}</c> ends a stream; it is delivered
/// only if it has other members. <c>{"done":true}</c> ends a stream and is delivered, if it has no other members or is a line of Ollama,
/// which contains <c>model</c>; in a larger object it is data of an application. <c>{"type":"error",…}</c> is an error after which the
/// stream continues. <c>{"error":{…}}</c> or <c>{"error":"…"}</c>, with no other member except a code or a request id, reports the failure
/// of a response that has already begun. Only top-level members count. A message without these markers costs one vectorized search.
/// </summary>
internal static class JsonConventions
{
    private static ReadOnlySpan<byte> Space => " \t\r\n"u8;

    /// <summary>
    /// The conventions for a two-way stream. In it <c>{"error":…}</c> may be the answer to one of many messages, so it is an ordinary
    /// message.
    /// </summary>
    public static StreamSignal Classify(in StreamMessage message)
    {
        var signal = ClassifyResponse(in message);
        return signal == StreamSignal.Failed ? StreamSignal.None : signal;
    }

    /// <summary>The conventions for the lines of a response.</summary>
    public static StreamSignal ClassifyResponse(in StreamMessage message)
    {
        var json = message.Bytes;
        return json is [(byte)'{', ..] && MayMark(json) ? Read(json) : StreamSignal.None;
    }

    /// <summary>
    /// Only errors of the form <c>{"type":"error",…}</c>: for streams with another end marker, in which "done" is data of an application.
    /// </summary>
    public static StreamSignal ClassifyPassingErrors(in StreamMessage message)
    {
        var signal = ClassifyErrors(in message);
        return signal == StreamSignal.Failed ? StreamSignal.None : signal;
    }

    /// <summary>Only errors: those after which the stream continues, and those that report the failure of the response.</summary>
    public static StreamSignal ClassifyErrors(in StreamMessage message)
    {
        var json = message.Bytes;
        if (message.IsBinary || json is not [(byte)'{', ..] || json.IndexOf("\"error\""u8) < 0)
        {
            return StreamSignal.None;
        }

        var signal = Read(json);
        return signal is StreamSignal.Error or StreamSignal.Failed ? signal : StreamSignal.None;
    }

    /// <summary>
    /// Whether the text can be a JSON value, judged by its first and last characters, which costs the same for any length. The parser of
    /// the message finds other errors.
    /// </summary>
    public static bool MayBeJson(ReadOnlySpan<byte> text) => text switch
    {
        [(byte)'{', .. var members, (byte)'}'] => MayBeInside(members, mayBegin: "\""u8),
        [(byte)'[', .. var elements, (byte)']'] => MayBeInside(elements, mayBegin: "{[\"-0123456789tfn"u8),
        [(byte)'"', .., (byte)'"'] => true,
        _ => IsScalar(text),
    };

    /// <summary>
    /// Whether the text inside brackets is empty, or starts with an allowed character and ends like a value: with a bracket, a quote, a
    /// digit, or the last letter of true, false or null.
    /// </summary>
    private static bool MayBeInside(ReadOnlySpan<byte> inside, ReadOnlySpan<byte> mayBegin)
    {
        if (inside is [<= (byte)' ', ..] or [.., <= (byte)' '])
        {
            inside = inside.Trim(Space);
        }

        return inside.IsEmpty || (mayBegin.Contains(inside[0]) && "}]\"0123456789el"u8.Contains(inside[^1]));
    }

    private static bool IsScalar(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text);
        try
        {
            return reader.Read()
                && reader.TokenType is JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null
                && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether the text contains <c>"done"</c> as a value or as a member that is true, or <c>"error"</c> as a value.</summary>
    private static bool MayMark(ReadOnlySpan<byte> json)
    {
        if (!MarkerSearch.MayContainMarker(json))
        {
            return false;
        }

        var rest = json;
        while (rest.IndexOf("done\""u8) is >= 0 and var at)
        {
            rest = rest[(at + "done\""u8.Length)..];
            if (rest.TrimStart(Space) is not [(byte)':', .. var value] || value.TrimStart(Space).StartsWith("true"u8))
            {
                return true;
            }
        }

        return json.IndexOf("\"error\""u8) >= 0;
    }

    private static StreamSignal Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            var (isDone, isMarkedDone, hasModel, members, isError, ofError) = (false, false, false, 0, false, 0);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                members++;
                var isType = reader.ValueTextEquals("type"u8);
                var isFlag = reader.ValueTextEquals("done"u8);
                var isModel = reader.ValueTextEquals("model"u8);
                var isErrors = reader.ValueTextEquals("error"u8);
                ofError += isErrors || reader.ValueTextEquals("code"u8) || reader.ValueTextEquals("request_id"u8) ? 1 : 0;
                reader.Read();
                isError |= isErrors
                    && (reader.TokenType == JsonTokenType.StartObject || reader is { TokenType: JsonTokenType.String, ValueSpan.IsEmpty: false });
                if (isType && reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("error"u8))
                {
                    return StreamSignal.Error;
                }

                isMarkedDone |= isType && reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("done"u8);
                isDone |= isFlag && reader.TokenType == JsonTokenType.True;
                hasModel |= isModel && reader.TokenType == JsonTokenType.String;
                reader.Skip();
            }

            return isError && ofError == members ? StreamSignal.Failed
                : isMarkedDone && members == 1 ? StreamSignal.Completed
                : isMarkedDone || (isDone && (hasModel || members == 1)) ? StreamSignal.DeliveredThenCompleted
                : StreamSignal.None;
        }
        // Half a surrogate pair is valid JSON, but no string: comparing it is an InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return StreamSignal.None;
        }
    }
}
