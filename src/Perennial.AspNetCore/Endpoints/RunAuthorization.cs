using Microsoft.AspNetCore.Builder;
using Perennial.AspNetCore.Requests;

namespace Perennial.AspNetCore;

/// <summary>Decides who may do what with which run.</summary>
public static class RunAuthorization
{
    /// <summary>Has a rule decide about each read, resume, send and stop. Of several rules, all must allow it.</summary>
    /// <typeparam name="TBuilder">What <c>MapPerennial</c> returned.</typeparam>
    /// <param name="builder">The endpoints.</param>
    /// <param name="allows">
    /// True to allow. Called from any thread: once for each request, and for each WebSocket once at its handshake, once at its first message and at
    /// each stop. What it throws fails the request.
    /// </param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// <para>
    /// The rule is asked before the run is looked for. So a rule that allows a user its own runs and nothing else answers the same for a run of
    /// another user and for one that never was, and neither can be told from the other.
    /// </para>
    /// <para>
    /// Who is refused gets 403; or, without an authenticated identity where the application has a default challenge scheme, that scheme's
    /// challenge, commonly 401 (RFC 9110, sections 15.5.2 and 15.5.4). Both have problem details. Over <c>perennial.v1</c> a send or a stop is answered
    /// by <c>perennial.refused</c> with the code <c>forbidden</c>.
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
