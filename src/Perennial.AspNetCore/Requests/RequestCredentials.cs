using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Perennial.AspNetCore.Requests;

/// <summary>Distinguishes the senders of requests, so that no sender can use the key of another. Keeps only hashes.</summary>
internal static class RequestCredentials
{
    /// <summary>Combines a key with its sender. Equal texts mean the same key of the same sender.</summary>
    public static string Scope(HttpContext context, string key) =>
        Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes($"{Of(context)}\n{key}")));

    /// <summary>The sender of a request, as a hash.</summary>
    public static string HashOf(HttpContext context) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Of(context))));

    // A header value has no line break. The user is preferred to a token or a cookie, because these may have changed by the time of the
    // repeat.
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
