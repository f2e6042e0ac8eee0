using Microsoft.AspNetCore.Http;
using Perennial.Gateway.Upstream;

namespace Perennial.Gateway.Answers;

/// <summary>Records the head of an upstream's response, and repeats it to readers.</summary>
internal static class ResponseHead
{
    /// <summary>Fields that describe the upstream's own framing, or that the server of the run sets.</summary>
    private static readonly HashSet<string> OfStreams = new(StringComparer.OrdinalIgnoreCase)
    {
        "Content-Length", "Content-Encoding", "Content-Type", "Content-Location", "Cache-Control", "Alt-Svc", "Date", "Last-Event-ID", "Accept-Ranges", "ETag",
    };

    private static readonly HashSet<string> OfDocuments = new(StringComparer.OrdinalIgnoreCase) { "Alt-Svc", "Date" };

    /// <summary>Records the head of a response.</summary>
    /// <param name="response">The response.</param>
    /// <param name="content">Its content, which may be taken from it.</param>
    /// <param name="dialect">The dialect of the stream; null if the response is none.</param>
    public static RecordedHead Of(HttpResponseMessage response, HttpContent content, Dialect? dialect)
    {
        var left = dialect is null ? OfDocuments : OfStreams;
        var hops = response.Headers.NonValidated.TryGetValues("Connection", out var connection)
            ? HopHeaders.NamedBy(connection.ToArray()).ToHashSet(StringComparer.OrdinalIgnoreCase)
            : [];
        var fields = response.Headers.NonValidated.Concat(content.Headers.NonValidated)
            .Where(field => !left.Contains(field.Key) && !hops.Contains(field.Key) && !HopHeaders.Contains(field.Key))
            .Select(static field => new HeadField(field.Key, [.. field.Value]));
        return new RecordedHead { Status = (int)response.StatusCode, Dialect = dialect?.Name, Fields = [.. fields] };
    }

    /// <summary>Sets the recorded status and fields of a response.</summary>
    /// <param name="context">The request of a reader.</param>
    /// <param name="head">The head.</param>
    /// <param name="isFirst">Whether the reader sent the request itself; otherwise it gets no cookies.</param>
    public static void Apply(HttpContext context, RecordedHead head, bool isFirst)
    {
        context.Response.StatusCode = head.Status;
        foreach (var (name, values) in head.Fields)
        {
            if (isFirst || !string.Equals(name, "Set-Cookie", StringComparison.OrdinalIgnoreCase))
            {
                context.Response.Headers.Append(name, values);
            }
        }
    }
}
