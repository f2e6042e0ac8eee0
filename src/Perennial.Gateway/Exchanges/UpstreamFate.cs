using System.Net;
using Perennial.Http;
using Perennial.Wire;

namespace Perennial.Gateway.Exchanges;

/// <summary>Says what became of a request to the upstream: refused before it acted, or possibly paid.</summary>
internal static class UpstreamFate
{
    public const string Refused = "upstream_refused";
    public const string Unreachable = "upstream_unreachable";
    public const string Unknown = "upstream_unknown";
    public const string Timeout = "upstream_timeout";
    public const string Interrupted = "upstream_interrupted";

    public const string TimedOut = "The upstream did not answer within FirstByteTimeout.";

    private const HttpStatusCode Overloaded = (HttpStatusCode)529;

    /// <summary>Whether the request surely did not reach the upstream, because there was no connection.</summary>
    public static bool NeverSent(Exception? exception) => exception
        is HttpRequestException
        {
            HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError
                or HttpRequestError.ProxyTunnelError,
        }
        or OperationCanceledException { InnerException: TimeoutException };      // ConnectTimeout

    /// <summary>
    /// Whether a response says that the upstream did not act: a redirect, an error of the client, or no capacity. A page in HTML with
    /// another status
    /// than 4xx is of a machine in between, which cannot know.
    /// </summary>
    public static bool IsRefusal(HttpResponseMessage response) => (int)response.StatusCode is >= 300 and < 500
        || (response.StatusCode is HttpStatusCode.ServiceUnavailable or Overloaded
            && ProtocolHeaders.MediaType(response)?.StartsWith("text/html", StringComparison.OrdinalIgnoreCase) != true);

    /// <summary>Whether a run without a head ended because its request was refused or never sent.</summary>
    public static bool MayBeSentAgain(ServerError end) => end.Code is Refused or Unreachable;

    public static string CodeOf(Exception? exception) => NeverSent(exception) ? Unreachable : Unknown;

    public static string Describe(Exception? exception) => NeverSent(exception)
        ? "The gateway cannot connect to the upstream."
        : "The connection to the upstream was lost before it answered. It may have acted on the request.";
}
