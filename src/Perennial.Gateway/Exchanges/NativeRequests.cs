using Microsoft.AspNetCore.Http;
using Perennial.Gateway.Upstream;

namespace Perennial.Gateway.Exchanges;

/// <summary>Answers the requests by which providers' own clients resume. Safe from any thread.</summary>
internal sealed class NativeRequests(NativeResponses responses, NativeStreams streams)
{
    /// <summary>Answers a request for a recorded answer. Returns false if it is another request.</summary>
    public async ValueTask<bool> TryAnswerAsync(HttpContext context, GatewayUpstream upstream) =>
        await responses.TryAnswerAsync(context, upstream) || await streams.TryAnswerAsync(context, upstream);
}
