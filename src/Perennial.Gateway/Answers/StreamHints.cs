using System.Net;
using Perennial.Http;
using Perennial.Wire;

namespace Perennial.Gateway.Answers;

/// <summary>What the head of a response shows about its body.</summary>
internal static class StreamHints
{
    private static readonly string[] LineTypes =
        [MediaTypes.JsonLines, "application/ndjson", "application/jsonl", "application/jsonlines", "application/stream+json"];

    /// <summary>The formats by the end of the path, as their providers have it.</summary>
    private static readonly (string End, Dialect Dialect)[] Paths =
    [
        ("/chat/completions", Dialects.OpenAIChat), ("/responses", Dialects.OpenAIResponses), ("/messages", Dialects.Anthropic),
        (":streamGenerateContent", Dialects.Gemini), ("/api/chat", Dialects.Ollama), ("/api/generate", Dialects.Ollama),
    ];

    /// <summary>
    /// Returns the format of a body by its content type: events or lines; <see cref="BodyFormat.Other"/> for no stream; null if only the
    /// first bytes
    /// can tell.
    /// </summary>
    public static BodyFormat? FormatOf(HttpResponseMessage response)
    {
        if (response.StatusCode is not HttpStatusCode.OK and not HttpStatusCode.Created and not HttpStatusCode.Accepted
            || response.RequestMessage?.Method == HttpMethod.Head || ProtocolHeaders.SpeaksPerennial(response))
        {
            return BodyFormat.Other;
        }

        var type = ProtocolHeaders.MediaType(response);
        return string.Equals(type, MediaTypes.EventStream, StringComparison.OrdinalIgnoreCase) ? BodyFormat.EventStream
            : LineTypes.Contains(type, StringComparer.OrdinalIgnoreCase) ? BodyFormat.Json
            : ProtocolHeaders.IsUntyped(response)
                && response.RequestMessage?.Method == HttpMethod.Post
                && response.Content.Headers.ContentLength is not 0 ? null
            : BodyFormat.Other;
    }

    /// <summary>Whether a stream may be a feed without an end, which is no answer: a GET without a known format.</summary>
    public static bool MayBeEndless(HttpResponseMessage response, bool isLines) =>
        response.RequestMessage?.Method == HttpMethod.Get
            && DialectOf(response, isLines) is null
            && !Dialects.Known.Any(known => known.IsAnnouncedBy(response));

    /// <summary>The dialect that the path of the request suggests, if the body has the framing of it.</summary>
    public static Dialect? DialectOf(HttpResponseMessage response, bool isLines)
    {
        var path = response.RequestMessage?.RequestUri?.OriginalString.Split('?', 2)[0];
        var (_, dialect) = Paths.FirstOrDefault(hint => path?.EndsWith(hint.End, StringComparison.OrdinalIgnoreCase) == true);
        return dialect is not null && dialect.Framing == DialectFraming.JsonLines == isLines ? dialect : null;
    }
}
