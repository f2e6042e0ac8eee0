using System.Security.Claims;
using Microsoft.AspNetCore.Http;

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

    /// <summary>Gets the requested action.</summary>
    public RunAction Action { get; }
}
