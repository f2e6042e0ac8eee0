namespace Perennial.Http;

/// <summary>
/// The header that names a request with side effects, so that a server can recognise a repeat
/// (draft-ietf-httpapi-idempotency-key-header). The value is a structured-field string (2.1).
/// </summary>
internal static class IdempotencyKey
{
    public const string HeaderName = "Idempotency-Key";

    /// <summary>Gives a request a random key, unless the caller's headers hold one.</summary>
    public static void AddTo(HttpRequestMessage request)
    {
        if (!request.Headers.NonValidated.Contains(HeaderName))
        {
            request.Headers.TryAddWithoutValidation(HeaderName, Of(Guid.NewGuid().ToString("N")));
        }
    }

    /// <summary>The header value of a key that holds letters and digits alone.</summary>
    public static string Of(string key) => $"\"{key}\"";
}
