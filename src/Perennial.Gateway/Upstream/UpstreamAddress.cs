using Perennial.Http;

namespace Perennial.Gateway.Upstream;

/// <summary>The base URL of an upstream. Its user and password are sent as Basic credentials and are never shown. Immutable.</summary>
internal sealed class UpstreamAddress
{
    private static readonly UriCreationOptions AsGiven = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly string _base;      // without a slash at its end
    private readonly string _query;     // without a question mark

    private UpstreamAddress(Uri url)
    {
        Credentials = UserInfo.BasicCredentials(url);
        var plain = UserInfo.Without(url);
        Name = plain.Authority;
        Origin = $"{plain.Scheme}://{plain.Authority}";
        var wire = GivenUrl.OnTheWire(plain);
        var target = wire.OriginalString[(wire.OriginalString.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var parts = target.Split('#')[0].Split('?', 2);
        var slash = parts[0].IndexOf('/', StringComparison.Ordinal);
        _base = Origin + (slash < 0 ? "" : parts[0][slash..].TrimEnd('/'));
        _query = parts.Length == 2 ? parts[1] : "";
    }

    /// <summary>Host and port, as logs and metrics name the upstream.</summary>
    public string Name { get; }

    /// <summary>Scheme, host and port.</summary>
    public string Origin { get; }

    /// <summary>The value of an <c>Authorization</c> header. <see langword="null"/> if the URL has no user.</summary>
    public string? Credentials { get; }

    /// <exception cref="ArgumentException">The text is not a base URL. The message does not have the text, which may contain a
    /// password.</exception>
    public static UpstreamAddress Parse(string baseAddress) =>
        Uri.TryCreate(baseAddress, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Fragment.Length == 0
            ? new UpstreamAddress(url)
            : throw new ArgumentException(
                "The address of the upstream must be an absolute URL such as https://api.openai.com, with http or https and without a fragment.",
                nameof(baseAddress));

    /// <summary>The URL of a resource below the base.</summary>
    /// <param name="path">The path below the base, as the client wrote it: empty, or a slash and more.</param>
    /// <param name="query">The query as the client wrote it: empty, or a question mark and more.</param>
    public Uri UrlOf(string path, string query)
    {
        var joined = _query.Length == 0 ? query : query.Length > 1 ? $"?{_query}&{query[1..]}" : $"?{_query}";
        var url = _base + path;
        return new Uri(url.Length == Origin.Length ? $"{url}/{joined}" : url + joined, AsGiven);
    }
}
