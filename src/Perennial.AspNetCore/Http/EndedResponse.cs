using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Http;

/// <summary>Answers a reader that already has the end.</summary>
internal static class EndedResponse
{
    /// <summary>Answers 204, which makes an EventSource stop reconnecting (HTML standard, section 9.2.3).</summary>
    public static void Write(HttpResponse response, RunState state)
    {
        response.Headers[WireHeaders.Status] = state.Status.Name();
        response.StatusCode = StatusCodes.Status204NoContent;
    }
}
