namespace Perennial;

/// <summary>Formats a URL for logs and messages: without user name, password, query and fragment.</summary>
internal static class RedactedUrl
{
    public static string Of(Uri? url) => url switch
    {
        null => "none",
        { IsAbsoluteUri: false } => "relative",
        _ =>
            url.GetComponents(
                UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) + (url.Query.Length > 0 ? "?…" : ""),
    };
}
