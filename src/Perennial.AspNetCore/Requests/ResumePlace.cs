using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Perennial.Wire;

namespace Perennial.AspNetCore.Requests;

/// <summary>Reads the id after which a reader resumes.</summary>
internal static class ResumePlace
{
    /// <summary>
    /// The header <c>Last-Event-ID</c> (HTML standard, section 9.2.4), or else the query parameter <c>lastEventId</c>; empty for none.
    /// </summary>
    public static string RequestedBy(HttpRequest request)
    {
        var header = request.Headers[WireHeaders.LastEventId];
        return StringValues.IsNullOrEmpty(header) ? request.Query[WireHeaders.LastEventIdQuery].ToString() : header.ToString();
    }
}
