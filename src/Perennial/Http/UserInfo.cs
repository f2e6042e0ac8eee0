using System.Text;

namespace Perennial.Http;

/// <summary>
/// The user and password in a URL (RFC 3986, section 3.2.1). They are sent as Basic credentials (RFC 7617) and removed from the URL.
/// </summary>
internal static class UserInfo
{
    /// <summary>The value of an <c>Authorization</c> header. <see langword="null"/> if the URL has no user.</summary>
    public static string? BasicCredentials(Uri url)
    {
        if (url.UserInfo.Length == 0)
        {
            return null;
        }

        var (user, password) = url.UserInfo.Split(':', 2) is [var first, var second] ? (first, second) : (url.UserInfo, "");
        return "Basic " + Convert.ToBase64String(
            Encoding.UTF8.GetBytes($"{Uri.UnescapeDataString(user)}:{Uri.UnescapeDataString(password)}"));
    }

    /// <summary>The same URL without user and password, so that no later code can expose them.</summary>
    public static Uri Without(Uri url) =>
        url.UserInfo.Length == 0 ? url : GivenUrl.With(url, url.Scheme);
}
