using Microsoft.AspNetCore.Cors.Infrastructure;
using Perennial.Wire;

namespace Perennial.AspNetCore;

/// <summary>Lets pages of other origins see what the server says in headers.</summary>
public static class PerennialCors
{
    /// <summary>Exposes the headers by which a reader resumes and knows how a run ended (Fetch standard, section 3.3.3).</summary>
    /// <param name="policy">The application's policy, which says who may ask, by which methods, and whether with credentials.</param>
    /// <returns>The same policy.</returns>
    /// <remarks>
    /// Readers also send <c>Perennial-Protocol</c>, <c>Last-Event-ID</c> and <c>Prefer</c>, and senders <c>Idempotency-Key</c> and <c>Content-Type</c>; those are allowed here too. WebSockets know no CORS:
    /// see <see cref="WebSocketServerOptions.AllowedOrigins"/>.
    /// </remarks>
    public static CorsPolicyBuilder WithPerennialHeaders(this CorsPolicyBuilder policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy
            .WithHeaders(WireHeaders.Protocol, WireHeaders.LastEventId, IdempotencyKey.HeaderName, "Content-Type", WaitPreference.HeaderName)
            .WithExposedHeaders(
                WireHeaders.Protocol, WireHeaders.Heartbeat, WireHeaders.Cursor, WireHeaders.Tail, WireHeaders.Status, WireHeaders.Starts,
                "Content-Location", "Retry-After");
    }
}
