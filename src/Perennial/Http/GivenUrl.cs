using System.Buffers;
using System.Text;

namespace Perennial.Http;

/// <summary>
/// Keeps the path and query of a URL as the caller or the server wrote them. <see cref="Uri"/> decodes and encodes characters (%7E becomes
///  ), which breaks signed URLs. <see cref="Uri.OriginalString"/> still has the original text.
/// </summary>
internal static class GivenUrl
{
    /// <summary>Characters that are allowed in a request line. Others are percent-encoded as UTF-8.</summary>
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("!#$%&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~");

    /// <summary>The URL for the HTTP stack, which sends its path and query unchanged. It has no fragment.</summary>
    /// <remarks>
    /// If the platform would change nothing, this is <paramref name="url"/> itself. Otherwise it is a URL that does not support all members
    /// of <see cref="Uri"/>; use it only to send the request.
    /// </remarks>
    public static Uri OnTheWire(Uri url)
    {
        var target = Target(url);
        return string.Equals(target, url.PathAndQuery, StringComparison.Ordinal)
            ? url
            : new Uri(
                $"{url.Scheme}://{url.Authority}{target}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }

    /// <summary>The same URL with the given scheme, and without user, password and fragment.</summary>
    public static Uri With(Uri url, string scheme) => new($"{scheme}://{url.Authority}{Target(url)}");

    /// <summary>Resolves a reference (RFC 3986, section 5.2). Returns <see langword="null"/> if it is not a URL.</summary>
    /// <param name="from">The URL of the response that holds the reference.</param>
    /// <param name="reference">An absolute or relative URL.</param>
    public static Uri? Resolve(Uri from, Uri reference)
    {
        if (reference.IsAbsoluteUri)
        {
            return reference;
        }

        var text = reference.OriginalString;
        var isPlain = !text.StartsWith("//", StringComparison.Ordinal)
            && !text.Contains("./", StringComparison.Ordinal)
            && !text.EndsWith('.');
        if (isPlain && Uri.TryCreate($"{from.Scheme}://{from.Authority}{TargetOf(reference, from)}", UriKind.Absolute, out var resolved))
        {
            return resolved;
        }

        return Uri.TryCreate(from, reference, out resolved) ? resolved : null;
    }

    /// <summary>The path and query of a reference, with dot segments removed.</summary>
    private static string TargetOf(Uri reference, Uri from)
    {
        var text = reference.OriginalString;
        if (text.StartsWith('/'))
        {
            return text;
        }

        var target = Target(from);
        var path = target.Split('?')[0];
        return text switch
        {
            "" or ['#', ..] => target,
            ['?', ..] => path + text,
            _ => path[..(path.LastIndexOf('/') + 1)] + text,
        };
    }

    /// <summary>The path and query in their original text. The path is a slash if the URL has none.</summary>
    private static string Target(Uri url)
    {
        var text = url.OriginalString.AsSpan().Trim();
        var authority = text.IndexOf("://", StringComparison.Ordinal);
        var end = text.IndexOf('#');
        text = end < 0 ? text : text[..end];
        if (authority < 0 || authority > text.Length || text.Contains('\\'))
        {
            return url.PathAndQuery;        // the platform reads a backslash as a slash
        }

        text = text[(authority + "://".Length)..];
        var start = text.IndexOfAny('/', '?');
        var target = start < 0 ? "" : text[start..];
        var written = target.StartsWith('/') ? target.ToString() : $"/{target}";
        return written.AsSpan().ContainsAnyExcept(Allowed) ? Encode(written) : written;
    }

    private static string Encode(string target)
    {
        var encoded = new StringBuilder(target.Length + 16);
        foreach (var rune in target.EnumerateRunes())
        {
            var text = rune.ToString();
            encoded.Append(text.AsSpan().ContainsAnyExcept(Allowed) ? Uri.EscapeDataString(text) : text);
        }

        return encoded.ToString();
    }
}
