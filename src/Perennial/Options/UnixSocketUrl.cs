using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;

namespace Perennial;

/// <summary>
/// The URL of something that a Unix socket serves: <c>unix:/run/app.sock:/streams/7</c>, the file, a colon, and the path and query.
/// </summary>
/// <param name="File">The path of the socket file.</param>
/// <param name="Target">The path and query, as they were written. Begins with a slash.</param>
internal sealed record UnixSocketUrl(string File, string Target)
{
    public const string Scheme = "unix";

    /// <summary>Reads a URL. Returns false if it has another scheme or form, or if the path of the file is too long for a socket.</summary>
    public static bool TryRead(Uri url, [NotNullWhen(true)] out UnixSocketUrl? read)
    {
        read = null;
        if (!url.IsAbsoluteUri || !string.Equals(url.Scheme, Scheme, StringComparison.Ordinal))
        {
            return false;
        }

        var text = url.OriginalString.Trim()[(Scheme.Length + 1)..].Split('#')[0];
        text = text.StartsWith("//", StringComparison.Ordinal) ? text[2..] : text;
        if (text.Split(':', 2) is not [['/', _, ..] file, ['/', ..] target])
        {
            return false;
        }

        var path = Uri.UnescapeDataString(file);
        try
        {
            _ = new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentException)
        {
            return false;
        }

        read = new UnixSocketUrl(path, target);
        return true;
    }
}
