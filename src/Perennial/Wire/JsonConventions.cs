using System.Text.Json;

namespace Perennial;

/// <summary>
/// What JSON messages mean beyond their payload, as servers in the field write it. <c>{"type":"done"}</c> ends a stream and is not delivered
/// when it says nothing else. <c>{"done":true}</c> ends it and is delivered, where it stands alone or in a line of Ollama, which names its
/// <c>model</c>; in a larger object it is data of an application. <c>{"type":"error",…}</c> is an error that the stream survives.
/// <c>{"error":{…}}</c> or <c>{"error":"…"}</c> with nothing else, except a code, is how a response fails that began well. Only members at the
/// top count. A message without such a marker costs one vectorised search.
/// </summary>
internal static class JsonConventions
{
    private static ReadOnlySpan<byte> Space => " \t\r\n"u8;

    /// <summary>
    /// For conversations, where <c>{"error":…}</c> may be the answer to one message of many: such an object is a message.
    /// </summary>
    public static StreamSignal Classify(in StreamMessage message)
    {
        var signal = ClassifyResponse(in message);
        return signal == StreamSignal.Failed ? StreamSignal.None : signal;
    }

    /// <summary>For the lines of a response.</summary>
    public static StreamSignal ClassifyResponse(in StreamMessage message)
    {
        var json = message.Bytes;
        return json is [(byte)'{', ..] && MayMark(json) ? Read(json) : StreamSignal.None;
    }

    /// <summary>
    /// Errors alone, as <c>{"type":"error",…}</c>: for streams whose end is marked in another way, where done is somebody's data.
    /// </summary>
    public static StreamSignal ClassifyErrors(in StreamMessage message)
    {
        var signal = ClassifyFailures(in message);
        return signal == StreamSignal.Failed ? StreamSignal.None : signal;
    }

    /// <summary>Errors that the stream survives, and those by which a response fails.</summary>
    public static StreamSignal ClassifyFailures(in StreamMessage message)
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
    /// Whether this may be a JSON value, as far as its beginning and its end tell, which costs the same for any length. Damage inside is
    /// found by whoever parses it.
    /// </summary>
    public static bool MayBeJson(ReadOnlySpan<byte> text) => text switch
    {
        [(byte)'{', .. var members, (byte)'}'] => MayBeInside(members, mayBegin: "\""u8),
        [(byte)'[', .. var elements, (byte)']'] => MayBeInside(elements, mayBegin: "{[\"-0123456789tfn"u8),
        [(byte)'"', .., (byte)'"'] => true,
        _ => IsScalar(text),
    };

    /// <summary>Nothing, or what begins as it may and ends as a value does: brackets, quotes, digits, true, false and null.</summary>
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

    /// <summary>Whether <c>"done"</c> as a value or as a true member, or <c>"error"</c> as a value, stands anywhere.</summary>
    private static bool MayMark(ReadOnlySpan<byte> json)
    {
        if (!MarkerSearch.HasEnding(json))
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
                isError |= isErrors && (reader.TokenType == JsonTokenType.StartObject || reader is { TokenType: JsonTokenType.String, ValueSpan.IsEmpty: false });
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
