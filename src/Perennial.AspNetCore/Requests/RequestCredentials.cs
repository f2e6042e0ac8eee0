using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Perennial.AspNetCore.Requests;

/// <summary>Tells the senders of requests apart, so that nobody can use the key of another. Holds hashes alone.</summary>
internal static class RequestCredentials
{
    /// <summary>The key as one of its sender: the same text means the same key of the same sender.</summary>
    public static string Scope(HttpContext context, string key) =>
        Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes($"{Of(context)}\n{key}")));

    /// <summary>The sender of a request, as a hash.</summary>
    public static string HashOf(HttpContext context) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Of(context))));

    // A header value has no line break. The user is named first where it is known, because a token or a cookie may be a new one by the time of
    // the repeat.
    private static string Of(HttpContext context)
    {
        var headers = context.Request.Headers;
        var sender = UserOf(context.User) is { } user
            ? $"user\n{user.ReplaceLineEndings("")}\n"
            : $"headers\n{headers.Authorization}\n{headers.Cookie}";
        return $"{sender}\n{headers["X-Api-Key"]}\n{headers["Api-Key"]}";
    }

    private static string? UserOf(ClaimsPrincipal principal)
    {
        if (principal.Identity is not { IsAuthenticated: true } identity)
        {
            return null;
        }

        var id = principal.FindFirst(ClaimTypes.NameIdentifier) ?? principal.FindFirst("sub");
        return id is null ? null : $"{identity.AuthenticationType} {id.Issuer} {id.Value}";
    }
}
