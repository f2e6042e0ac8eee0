using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace Perennial.AspNetCore;

/// <summary>Who wants what of which run: what a rule given to <see cref="RunAuthorization.AuthorizeRuns{TBuilder}"/> decides.</summary>
public sealed class RunAccess
{
    internal RunAccess(HttpContext httpContext, RunAction action)
    {
        HttpContext = httpContext;
        Action = action;
    }

    /// <summary>The request; of a WebSocket, its handshake.</summary>
    public HttpContext HttpContext { get; }

    /// <summary>Who asks, as the application's authentication has it. Never null; of a stranger, without an authenticated identity.</summary>
    public ClaimsPrincipal User => HttpContext.User;

    /// <summary>The run that is asked for, as in <see cref="StreamRun.Id"/>. Any text: whether there is such a run is not known yet.</summary>
    public string RunId => (string)HttpContext.Request.RouteValues["id"]!;

    /// <summary>What is asked of it.</summary>
    public RunAction Action { get; }
}
