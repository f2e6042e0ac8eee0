namespace Perennial.Gateway.Exchanges;

/// <summary>Says what became of a request that the upstream did not answer.</summary>
internal static class UpstreamFate
{
    public const string Unreachable = "upstream_unreachable";
    public const string Unknown = "upstream_unknown";

    public const string TimedOut = "The upstream did not answer within FirstByteTimeout.";

    /// <summary>Whether the request surely did not reach the upstream, because there was no connection.</summary>
    public static bool NeverSent(Exception? exception) => exception is HttpRequestException
    {
        HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError
            or HttpRequestError.ProxyTunnelError,
    };

    public static string CodeOf(Exception? exception) => NeverSent(exception) ? Unreachable : Unknown;

    public static string Describe(Exception? exception) => NeverSent(exception)
        ? "The gateway cannot connect to the upstream."
        : "The connection to the upstream was lost before it answered. It may have acted on the request.";
}
