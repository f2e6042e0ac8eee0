using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>A user's access to a run, which a rule of <see cref="RunAuthorization.AuthorizeRuns{TBuilder}"/> allows or refuses.</summary>
public sealed class RunAccess
{
    internal RunAccess(HttpContext httpContext, RunAction action)
    {
        HttpContext = httpContext;
        Action = action;
    }

    /// <summary>Gets the request; for a WebSocket, its handshake.</summary>
    public HttpContext HttpContext { get; }

    /// <summary>
    /// Gets the user, from the application's authentication. Never null; without an authenticated identity for an anonymous client.
    /// </summary>
    public ClaimsPrincipal User => HttpContext.User;

    /// <summary>Gets the id of the run, as in <see cref="StreamRun.Id"/>. It may be any text: the run may not exist.</summary>
    public string RunId => (string)HttpContext.Request.RouteValues["id"]!;

    /// <summary>Looks the run up, for a rule that depends on its <see cref="StreamRun.Owner"/> or its metadata.</summary>
    /// <returns>
    /// The run; null if there is none. Refuse the access then, so that the answer does not reveal whether a run exists.
    /// </returns>
    /// <exception cref="RunStoreException">The store cannot be used. If the rule does not catch it, the request gets 503.</exception>
    /// <remarks>The run is looked up once for each request, together with the answer.</remarks>
    public ValueTask<StreamRun?> FindRunAsync() => RequestedRun.FindAsync(HttpContext);

    /// <summary>Gets the requested action.</summary>
    public RunAction Action { get; }
}
