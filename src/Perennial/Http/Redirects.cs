using System.Net;
using Perennial.Wire;

namespace Perennial.Http;

/// <summary>The rules for redirects (RFC 9110, section 15.4), and for the headers that are not sent to another origin.</summary>
internal static class Redirects
{
    public const int Most = 10;

    public static bool IsRedirect(HttpResponseMessage response) => response.StatusCode is HttpStatusCode.Moved or HttpStatusCode.Found
        or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    /// <summary>Whether two URLs have the same origin. ws and wss count as http and https.</summary>
    public static bool IsSameOrigin(Uri left, Uri right) =>
        IsSecure(left) == IsSecure(right)
        && Uri.Compare(left, right, UriComponents.HostAndPort, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0;

    /// <summary>
    /// Creates the request that follows a redirect. At the same origin it keeps every header. At another origin it keeps only headers that
    /// neither carry credentials nor were set by the caller.
    /// </summary>
    /// <exception cref="TransportException">The redirect has no valid target, or leads from https to http.</exception>
    public static HttpRequestMessage Follow(HttpRequestMessage request, HttpResponseMessage response)
    {
        var from = request.RequestUri!;
        if (response.Headers.Location is not { } location || GivenUrl.Resolve(from, location) is not { } target || !IsHttp(target, from))
        {
            throw Refusal("A redirect must lead to an http or https URL.");
        }

        if (IsSecure(from) && !IsSecure(target))
        {
            throw Refusal("A redirect must not lead from https to http.");
        }

        target = InSchemeOf(from, target);
        var method = BecomesGet(request.Method, response.StatusCode) ? HttpMethod.Get : request.Method;
        var followed = new HttpRequestMessage(method, target)
        {
            Version = request.Version,
            VersionPolicy = request.VersionPolicy,
            Content = method == request.Method ? request.Content : null,
        };
        var staysAtHome = IsSameOrigin(from, target);
        foreach (var (name, value) in request.Headers.NonValidated)
        {
            if (staysAtHome || IsPublic(name))
            {
                followed.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)value);
            }
            else if (name is "Sec-WebSocket-Protocol" && OffersPerennial(value.ToString()))
            {
                followed.Headers.TryAddWithoutValidation(name, WireHeaders.SubProtocol);
            }
        }

        return followed;
    }

    /// <summary>The error for a redirect that is not followed. The server did not act on the request.</summary>
    public static TransportException Refusal(string message) =>
        new(TransportErrorCode.RedirectRefused, message) { Delivery = DeliveryStatus.NotSent };

    /// <summary>
    /// The headers of a WebSocket handshake are kept, except the caller's subprotocols. Some servers take tokens in them, since a browser
    /// can set no other header.
    /// </summary>
    private static bool IsPublic(string name) =>
        name is "Accept" or "Cache-Control" or WireHeaders.LastEventId or "User-Agent" or IdempotencyKey.HeaderName
        or "Connection" or "Upgrade" or "Sec-WebSocket-Key" or "Sec-WebSocket-Version" or "Sec-WebSocket-Extensions";

    private static bool OffersPerennial(string subprotocols) =>
        subprotocols.Split(',', StringSplitOptions.TrimEntries).Contains(WireHeaders.SubProtocol, StringComparer.Ordinal);

    /// <summary>Status 303 requests a GET. The older statuses keep the method, except that POST becomes GET, as all clients do.</summary>
    private static bool BecomesGet(HttpMethod method, HttpStatusCode status) => status switch
    {
        HttpStatusCode.SeeOther => method != HttpMethod.Head,
        HttpStatusCode.Moved or HttpStatusCode.Found => method == HttpMethod.Post,
        _ => false,
    };

    private static bool IsHttp(Uri target, Uri from) => target.Scheme is "http" or "https" || (IsSocket(target) && IsSocket(from));

    private static bool IsSocket(Uri uri) => uri.Scheme is "ws" or "wss";

    /// <summary>A WebSocket handshake keeps its scheme, even if the target is an http or https URL.</summary>
    private static Uri InSchemeOf(Uri from, Uri target) => IsSocket(from) && target.Scheme is "http" or "https"
        ? GivenUrl.With(target, IsSecure(target) ? "wss" : "ws")
        : target;

    private static bool IsSecure(Uri uri) => uri.Scheme is "https" or "wss";
}
