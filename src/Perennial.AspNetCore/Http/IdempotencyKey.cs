using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Perennial.AspNetCore.Diagnostics;

namespace Perennial.AspNetCore.Http;

/// <summary>The header field by which the repeat of a request is known (draft-ietf-httpapi-idempotency-key-header).</summary>
internal static class IdempotencyKey
{
    public const string HeaderName = "Idempotency-Key";

    private const int Longest = 255;

    /// <summary>
    /// Reads a structured-field string (RFC 9651, section 3.3.3), or the bare characters that many clients send. True without a key where there
    /// is no field; false where the field is not valid.
    /// </summary>
    public static bool TryRead(StringValues field, out string? key)
    {
        key = field.Count == 0 ? null : field.ToString();
        if (string.IsNullOrEmpty(key))
            return key is null;
        if (key.Length >= 2 && key[0] == '"' && key[^1] == '"')
            key = key[1..^1];
        return key.Length is > 0 and <= Longest && !key.AsSpan().ContainsAnyExceptInRange('!', '~');
    }

    /// <summary>Refuses a field that is not valid.</summary>
    public static Task RefuseAsync(HttpContext context) => Problem.SendAsync(
        context, StatusCodes.Status400BadRequest, $"{HeaderName} must be one string of 1 to {Longest} visible ASCII characters.");

    /// <summary>Refuses a key that came before with another request.</summary>
    public static Task RefuseReuseAsync(HttpContext context) => Problem.SendAsync(
        context, StatusCodes.Status422UnprocessableEntity, $"This {HeaderName} was used before, with another request.", RefusalReasons.KeyReused);
}
