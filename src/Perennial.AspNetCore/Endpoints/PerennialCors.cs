using Microsoft.AspNetCore.Cors.Infrastructure;
using Perennial.Wire;

namespace Perennial.AspNetCore;

/// <summary>Allows pages of other origins to read the server's headers.</summary>
public static class PerennialCors
{
    /// <summary>Exposes the headers that a reader needs to resume and to learn how a run ended (Fetch standard, section 3.3.3).</summary>
    /// <param name="policy">The application's policy. It sets the allowed origins and methods, and whether credentials are allowed.</param>
    /// <returns>The same policy.</returns>
    /// <remarks>
    /// Also allows the request headers of readers (<c>Perennial-Protocol</c>, <c>Last-Event-ID</c> and <c>Prefer</c>) and of senders
    /// (<c>Idempotency-Key</c> and <c>Content-Type</c>). WebSockets do not use CORS: see
    /// <see cref="WebSocketServerOptions.AllowedOrigins"/>.
    /// </remarks>
    public static CorsPolicyBuilder WithPerennialHeaders(this CorsPolicyBuilder policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy
            .WithHeaders(
                WireHeaders.Protocol, WireHeaders.LastEventId, IdempotencyKey.HeaderName, "Content-Type", WaitPreference.HeaderName)
            .WithExposedHeaders(
                WireHeaders.Protocol, WireHeaders.Heartbeat, WireHeaders.Cursor, WireHeaders.Tail, WireHeaders.Status, WireHeaders.Starts,
                "Content-Location", "Retry-After");
    }
}
