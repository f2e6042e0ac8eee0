using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Http;

/// <summary>Answers a reader that has the end already.</summary>
internal static class EndedResponse
{
    /// <summary>204 is how the standard tells an EventSource to stop reconnecting (HTML, section 9.2.3).</summary>
    public static void Write(HttpResponse response, RunState state)
    {
        response.Headers[WireHeaders.Status] = state.Status.Name();
        response.StatusCode = StatusCodes.Status204NoContent;
    }
}
