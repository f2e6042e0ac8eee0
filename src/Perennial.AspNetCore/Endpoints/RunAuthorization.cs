using Microsoft.AspNetCore.Builder;
using Perennial.AspNetCore.Requests;

namespace Perennial.AspNetCore;

/// <summary>Adds authorization rules for runs.</summary>
public static class RunAuthorization
{
    /// <summary>
    /// Adds a rule that allows or refuses each read, resume, send and stop. If there are several rules, all must allow it.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the builder.</typeparam>
    /// <param name="builder">The endpoints.</param>
    /// <param name="allows">
    /// Returns true to allow the access. Called from any thread: once for each request, and for each WebSocket at its handshake, at its
    /// first message and at each stop. An exception fails the request.
    /// </param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// <para>
    /// The rule is called before the run is looked up. So a rule that refuses what <see cref="RunAccess.FindRunAsync"/> does not find
    /// gives the same answer for a run of another user and for a run that never existed:
    /// <c>.AuthorizeRuns(async access => await access.FindRunAsync() is { Owner: { } owner } &amp;&amp; owner == access.User.Identity?.Name)</c>.
    /// </para>
    /// <para>
    /// A refused client gets 403. If it has no authenticated identity and the application has a default challenge scheme, it gets the
    /// challenge of that scheme, commonly 401 (RFC 9110, sections 15.5.2 and 15.5.4). Both have problem details. Over <c>perennial.v1</c> a
    /// refused send or stop is answered with <c>perennial.refused</c> and the code <c>forbidden</c>.
    /// </para>
    /// </remarks>
    public static TBuilder AuthorizeRuns<TBuilder>(this TBuilder builder, Func<RunAccess, ValueTask<bool>> allows)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(allows);
        return builder.WithMetadata(new AccessRule(allows));
    }
}
