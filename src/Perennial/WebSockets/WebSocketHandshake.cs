using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Perennial.Http;
using Perennial.Wire;

namespace Perennial.WebSockets;

/// <summary>The opening handshake (RFC 6455, section 4): prepares the request and validates the response.</summary>
/// <param name="options">The transport's options.</param>
/// <param name="usesSocketScheme">
/// Whether the request keeps the scheme ws or wss, from which the platform's HTTP stack recognizes that a proxy needs a tunnel (RFC 6455,
/// section 4.1). A handler of the caller gets http or https, which every handler supports.
/// </param>
internal sealed class WebSocketHandshake(WebSocketTransportOptions options, bool usesSocketScheme)
{
    private const string Guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));

    /// <summary>Makes the request an upgrade request.</summary>
    public void Prepare(HttpRequestMessage request)
    {
        request.RequestUri = GivenUrl.With(request.RequestUri!, SchemeFor(request.RequestUri!));
        request.Version = HttpVersion.Version11;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", _key);
        var offered = options.UsePerennialProtocol
            ? options.SubProtocols.Append(WireHeaders.SubProtocol).Distinct(StringComparer.Ordinal)
            : options.SubProtocols;
        if (offered.Any())
        {
            request.Headers.TryAddWithoutValidation("Sec-WebSocket-Protocol", string.Join(", ", offered));
        }

        if (options.Compression)
        {
            request.Headers.TryAddWithoutValidation("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
        }
    }

    private string SchemeFor(Uri url) => (url.Scheme is "wss" or "https", usesSocketScheme) switch
    {
        (true, true) => "wss",
        (true, false) => "https",
        (false, true) => "ws",
        _ => "http",
    };

    /// <summary>Validates the response, and returns the options with which to create the socket.</summary>
    /// <exception cref="TransportException">
    /// The server did not upgrade the connection, or accepted something that was not offered.
    /// </exception>
    public WebSocketCreationOptions Accept(HttpResponseMessage response)
    {
        Require(response.StatusCode == HttpStatusCode.SwitchingProtocols, "the server did not switch protocols");
        Require(Has(response, "Connection", "Upgrade"), "the Connection field does not contain Upgrade");
        Require(Has(response, "Upgrade", "websocket"), "the Upgrade field does not contain websocket");
        Require(
            string.Equals(Header(response, "Sec-WebSocket-Accept"), ExpectedAccept(), StringComparison.Ordinal),
            "Sec-WebSocket-Accept does not match the key");
        var protocol = Header(response, "Sec-WebSocket-Protocol");
        Require(protocol is null || IsOffered(protocol, response.RequestMessage!), "the server chose a subprotocol that was not offered");
        return new WebSocketCreationOptions
        {
            IsServer = false,
            SubProtocol = protocol,
            KeepAliveInterval = Timeout.InfiniteTimeSpan,       // the connection sends its own pings
            DangerousDeflateOptions = Deflate(Header(response, "Sec-WebSocket-Extensions")),
        };
    }

    /// <summary>The compression that the server agreed to (RFC 7692, section 7.1).</summary>
    private WebSocketDeflateOptions? Deflate(string? extensions)
    {
        if (extensions is null)
        {
            return null;
        }

        var parts = extensions.Split(';', StringSplitOptions.TrimEntries);
        Require(options.Compression && parts[0] is "permessage-deflate", "the server chose an extension that was not offered");
        var deflate = new WebSocketDeflateOptions();
        foreach (var part in parts.AsSpan(1))
        {
            var (name, value) = part.Split('=', 2, StringSplitOptions.TrimEntries) is [var left, var right]
                ? (left, right.Trim('"'))
                : (part, "15");
            var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var bits);
            switch (name)
            {
                case "server_no_context_takeover":
                    deflate.ServerContextTakeover = false;
                    break;
                case "client_no_context_takeover":
                    deflate.ClientContextTakeover = false;
                    break;
                case "server_max_window_bits" when isNumber && bits is >= 9 and <= 15:
                    deflate.ServerMaxWindowBits = bits;
                    break;
                case "client_max_window_bits" when isNumber && bits is >= 9 and <= 15:
                    deflate.ClientMaxWindowBits = bits;
                    break;
                default:
                    Require(false, "the server chose compression parameters that were not offered");
                    break;
            }
        }

        return deflate;
    }

    /// <summary>
    /// Computes the expected value with SHA-1, as the standard requires (section 4.2.2). It proves that the peer read the key, and has no
    /// security purpose.
    /// </summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5350", Justification = "RFC 6455 prescribes SHA-1.")]
    private string ExpectedAccept() => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(_key + Guid)));

    /// <summary>Checks the request that was answered: after a redirect to another origin it offers fewer subprotocols.</summary>
    private static bool IsOffered(string protocol, HttpRequestMessage request) =>
        request.Headers.NonValidated.TryGetValues("Sec-WebSocket-Protocol", out var offered)
        && offered.ToString().Split(',', StringSplitOptions.TrimEntries).Contains(protocol, StringComparer.Ordinal);

    private static bool Has(HttpResponseMessage response, string name, string token) =>
        Header(response, name)?.Split(',', StringSplitOptions.TrimEntries).Contains(token, StringComparer.OrdinalIgnoreCase) == true;

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    private static void Require(bool condition, string whatIsWrong)
    {
        if (!condition)
        {
            throw new TransportException(TransportErrorCode.ProtocolViolation, $"The WebSocket handshake failed: {whatIsWrong}.");
        }
    }
}
