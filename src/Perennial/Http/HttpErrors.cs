using System.Net.Sockets;
using System.Security.Authentication;
using Perennial.Wire;

namespace Perennial.Http;

/// <summary>
/// Converts errors of the HTTP stack to <see cref="TransportException"/>, and decides whether they are transient. The error for an invalid
/// response has no inner exception, because the stack's exception quotes the bytes it could not read, which may contain anything. The error
/// for a refusal by a proxy has none either.
/// </summary>
internal static class HttpErrors
{
    /// <summary>
    /// Whether the HTTP stack throws this exception if there is no response. A bare SocketException is rare but possible.
    /// </summary>
    public static bool IsNetwork(Exception e) => e is HttpRequestException or IOException or SocketException;

    /// <summary>Converts a failure to get a response.</summary>
    public static TransportException FromRequest(Exception e, HttpRequestMessage request) => e switch
    {
        HttpRequestException { InnerException: TransportException known } => known,
        // If the HTTP/2 handshake is interrupted, the stack reports an invalid response, or no error kind at all.
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } when BrokeOff(e) => Lost(e),
        HttpRequestException { HttpRequestError: HttpRequestError.Unknown, InnerException: null } when MayBeHttp2(request) => Lost(e),
        HttpRequestException failure => FromRequest(failure, request.RequestUri!),
        _ => Lost(e),
    };

    /// <summary>Converts a failure while reading a response body.</summary>
    public static TransportException FromBody(Exception e) => e switch
    {
        HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse } =>
            new(TransportErrorCode.ProtocolViolation, "The response body is not valid HTTP."),
        InvalidDataException =>
            new(TransportErrorCode.ConnectionLost, "The compressed response body is damaged or cut short.", true, e),
        _ => Lost(e),
    };

    private static TransportException FromRequest(HttpRequestException e, Uri uri) => e.HttpRequestError switch
    {
        HttpRequestError.SecureConnectionError when e.InnerException is AuthenticationException =>
            new(TransportErrorCode.ConnectFailed, $"TLS with {uri.Host} failed: the certificate or protocol is not acceptable.", false, e)
            {
                Delivery = DeliveryStatus.NotSent,
            },
        HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
            or HttpRequestError.SecureConnectionError =>
            new(TransportErrorCode.ConnectFailed, $"{uri.Host}:{uri.Port} cannot be reached ({e.HttpRequestError}).", true, e)
            {
                Delivery = DeliveryStatus.NotSent,
            },
        // The stack's exception quotes the proxy's URL with its password, so it is not passed on.
        HttpRequestError.ProxyTunnelError =>
            new(TransportErrorCode.ConnectFailed, $"The proxy cannot connect to {uri.Host}:{uri.Port} ({e.HttpRequestError}).", true)
            {
                Delivery = DeliveryStatus.NotSent,
            },
        HttpRequestError.InvalidResponse =>
            new(TransportErrorCode.ProtocolViolation, $"The response from {uri.Host} is not valid HTTP."),
        HttpRequestError.ConfigurationLimitExceeded =>
            new(TransportErrorCode.ProtocolViolation, $"The response headers from {uri.Host} are too large.", false, e),
        HttpRequestError.VersionNegotiationError =>
            new(TransportErrorCode.ProtocolViolation, $"{uri.Host} does not support the required HTTP version.", false, e),
        HttpRequestError.ResponseEnded or HttpRequestError.HttpProtocolError =>
            Lost(e),
        _ when e.InnerException is IOException => Lost(e),
        _ => new(TransportErrorCode.Unexpected, $"The request to {uri.Host} failed ({e.HttpRequestError}).", false, e),
    };

    /// <summary>The error for a response whose status is not success.</summary>
    public static TransportException FromStatus(
        HttpResponseMessage response, ServerError said, ReconnectOptions reconnect, TimeProvider time) =>
        new(
            TransportErrorCode.HttpStatus,
            $"The server answered {(int)response.StatusCode} ({response.StatusCode}).",
            reconnect.RetryStatusCodes.Contains(response.StatusCode))
        {
            HttpStatus = response.StatusCode,
            RetryAfter = Http.RetryAfter.Read(response, time),
            ServerMessage = said.Message,
            ServerCode = said.Code,
        };

    private static bool MayBeHttp2(HttpRequestMessage request) =>
        request.Version.Major >= 2
        || (request.VersionPolicy == HttpVersionPolicy.RequestVersionOrHigher && string.Equals(request.RequestUri!.Scheme, Uri.UriSchemeHttps, StringComparison.Ordinal));

    private static bool BrokeOff(Exception e)
    {
        for (var cause = e.InnerException; cause is not null; cause = cause.InnerException)
        {
            // Below TLS, the end of the connection is a plain IOException.
            if (cause is SocketException or HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } or (IOException and not HttpIOException))
            {
                return true;
            }
        }

        return false;
    }

    private static TransportException Lost(Exception e) =>
        new(TransportErrorCode.ConnectionLost, "The connection was interrupted.", true, e);
}
