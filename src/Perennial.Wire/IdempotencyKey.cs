namespace Perennial.Wire;

/// <summary>
/// The header field with which a server recognizes the repetition of a request that has side effects
/// (draft-ietf-httpapi-idempotency-key-header). The value is a structured-field string (section 2.1).
/// </summary>
internal static class IdempotencyKey
{
    public const string HeaderName = "Idempotency-Key";

    /// <summary>The largest length of a key, in characters.</summary>
    public const int Longest = 255;

    /// <summary>The field's value for a key that consists of letters and digits only.</summary>
    public static string Format(string key) => $"\"{key}\"";

    /// <summary>Adds a random key to a request that has none.</summary>
    public static void AddTo(HttpRequestMessage request)
    {
        if (!request.Headers.NonValidated.Contains(HeaderName))
        {
            request.Headers.TryAddWithoutValidation(HeaderName, Format(Guid.NewGuid().ToString("N")));
        }
    }

    /// <summary>
    /// Reads the field's value: a structured-field string (RFC 9651, section 3.3.3), or the bare characters that many clients send.
    /// </summary>
    /// <param name="value">The field's value. <see langword="null"/> if the field is absent.</param>
    /// <param name="key">The key. <see langword="null"/> if the field is absent.</param>
    /// <returns>False if the value is malformed. A key has 1 to 255 visible ASCII characters.</returns>
    public static bool TryRead(string? value, out string? key)
    {
        key = value;
        if (string.IsNullOrEmpty(key))
        {
            return key is null;
        }

        if (key.Length >= 2 && key[0] == '"' && key[^1] == '"')
        {
            key = key[1..^1];
        }

        return key.Length is > 0 and <= Longest && !key.AsSpan().ContainsAnyExceptInRange('!', '~');
    }
}
