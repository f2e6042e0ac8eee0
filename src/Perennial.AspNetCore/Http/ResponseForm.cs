using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Perennial.AspNetCore.Delivery;
using Perennial.Wire;

namespace Perennial.AspNetCore.Http;

/// <summary>The forms of a stream over HTTP. Of forms with equal weights the first one is chosen.</summary>
internal enum ResponseForm
{
    Sse,
    LongPoll,
    JsonLines,
}

/// <summary>Selects the form by the <c>Accept</c> field (RFC 9110, section 12.5.1).</summary>
internal static class ResponseForms
{
    private static readonly (ResponseForm Form, MediaTypeHeaderValue Type)[] Offers =
    [
        (ResponseForm.Sse, new MediaTypeHeaderValue(MediaTypes.EventStream)),
        (ResponseForm.LongPoll, new MediaTypeHeaderValue(MediaTypes.Json)),
        (ResponseForm.JsonLines, new MediaTypeHeaderValue(MediaTypes.JsonLines)),
    ];

    /// <summary>Returns the kind of the readers of a form.</summary>
    public static ReaderKind Kind(this ResponseForm form) => form switch
    {
        ResponseForm.Sse => ReaderKind.Sse,
        ResponseForm.LongPoll => ReaderKind.LongPoll,
        _ => ReaderKind.JsonLines,
    };

    /// <summary>Selects the form with the highest weight, or null if the field allows none. A malformed field counts as absent.</summary>
    public static ResponseForm? Choose(StringValues accept)
    {
        if (!MediaTypeHeaderValue.TryParseList(accept, out var ranges) || ranges.Count == 0)
        {
            return ResponseForm.Sse;
        }

        var (best, highest) = ((ResponseForm?)null, 0.0);
        foreach (var (form, type) in Offers)
        {
            var quality = QualityOf(type, ranges);
            if (quality > highest)
            {
                (best, highest) = (form, quality);
            }
        }

        return best;
    }

    /// <summary>
    /// Selects the form of the response to the request that starts a run: JSON lines if they have a higher weight than SSE, or else SSE. It
    /// is never a poll, because clients of models accept JSON even for a stream, and never refused, because the run has begun.
    /// </summary>
    public static ResponseForm ChooseForStart(StringValues accept)
    {
        var isUnderstood = MediaTypeHeaderValue.TryParseList(accept, out var ranges) && ranges.Count > 0;
        return isUnderstood
            && QualityOf(new MediaTypeHeaderValue(MediaTypes.JsonLines), ranges!) > QualityOf(
                new MediaTypeHeaderValue(MediaTypes.EventStream), ranges!)
            ? ResponseForm.JsonLines
            : ResponseForm.Sse;
    }

    /// <summary>
    /// Whether a reader accepts JSON lines as the answer to a poll. It can read each line as soon as the line is complete.
    /// </summary>
    public static bool TakesJsonLines(StringValues accept) =>
        MediaTypeHeaderValue.TryParseList(accept, out var ranges) && QualityOf(new MediaTypeHeaderValue(MediaTypes.JsonLines), ranges) > 0;

    // The most specific range decides, even with a lower weight.
    private static double QualityOf(MediaTypeHeaderValue type, IList<MediaTypeHeaderValue> ranges)
    {
        var (quality, precedence) = (0.0, -1);
        foreach (var range in ranges)
        {
            var specific = range.MatchesAllTypes ? 0 : range.MatchesAllSubTypes ? 1 : 2;
            if (specific > precedence && IsIn(range, type))
            {
                (quality, precedence) = (range.Quality ?? 1.0, specific);
            }
        }

        return quality;
    }

    // Parameters such as charset=utf-8 are ignored: all forms are UTF-8 and have no other parameters.
    private static bool IsIn(MediaTypeHeaderValue range, MediaTypeHeaderValue type) =>
        range.MatchesAllTypes
        || (range.Type.Equals(type.Type, StringComparison.OrdinalIgnoreCase)
            && (range.MatchesAllSubTypes || range.SubType.Equals(type.SubType, StringComparison.OrdinalIgnoreCase)));
}
