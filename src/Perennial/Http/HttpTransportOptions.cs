using System.Collections.ObjectModel;
using Perennial.Wire;

namespace Perennial.Http;

/// <summary>What every transport over HTTP can be told.</summary>
public abstract record HttpTransportOptions : TransportOptions
{
    private NestedOptions<HttpConnectionOptions> _http;

    /// <summary>
    /// Set to <see langword="true"/> in the options of a request that is made anew because the server rejected the one before with
    /// 401: <see cref="ConfigureRequest"/> must fetch fresh credentials, not cached ones.
    /// </summary>
    public static HttpRequestOptionsKey<bool> CredentialsRejected { get; } = new("Perennial.CredentialsRejected");

    /// <summary>The method that opens the stream. Default <see langword="null"/>: POST with a <see cref="Body"/>, else GET.</summary>
    public HttpMethod? Method { get; init; }

    /// <summary>The body of the request that opens the stream. Default none.</summary>
    public RequestBody? Body { get; init; }

    /// <summary>Headers of every request. They stay at the endpoint's origin: a redirect elsewhere does not carry them. Default none.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>
    /// Completes each request just before it is sent, once an attempt: the place for a token that expires. Errors it throws end the
    /// stream, but for <see cref="HttpRequestException"/>, <see cref="IOException"/> and <see cref="TimeoutException"/>, which count
    /// as a failed attempt.
    /// </summary>
    public Func<HttpRequestMessage, CancellationToken, ValueTask>? ConfigureRequest { get; init; }

    /// <summary>
    /// Whether a request other than GET may be repeated although the server may have acted on it. Default <see langword="null"/>: only
    /// where the server has announced that the same <c>Idempotency-Key</c> starts a stream once (<c>Perennial-Starts: once</c>), to this
    /// transport or, within the last hour, to another of the process at the same URL without its query. <see langword="true"/> allows it
    /// always, also for messages that are sent by POST; <see langword="false"/> never, except messages as <see cref="SendEndpoint"/> says.
    /// </summary>
    /// <remarks>
    /// Each such request carries an <c>Idempotency-Key</c> (draft-ietf-httpapi-idempotency-key-header), the same one for every repeat;
    /// one in <see cref="Headers"/> is sent in its place. A request that is not repeated is resumed by GET where the response names its
    /// resource (<c>Content-Location</c>, RFC 9110, 8.7), or the stream ends as interrupted.
    /// </remarks>
    public bool? AllowReplay { get; init; }

    /// <summary>
    /// Where <see cref="Transport.SendAsync(ReadOnlyMemory{byte}, CancellationToken)"/> posts to. Each message has an
    /// <c>Idempotency-Key</c>. Default <see langword="null"/>: the stream's own resource, which is the endpoint of a GET, or what the
    /// answer to another method named.
    /// </summary>
    /// <remarks>
    /// A message whose outcome is unknown is posted again, with the same key, only where the server is known to recognise it: this is
    /// <see langword="null"/> and the stream's server has announced Perennial's protocol, or <see cref="AllowReplay"/> is
    /// <see langword="true"/>. Otherwise the send fails with <see cref="DeliveryStatus.Unknown"/>.
    /// </remarks>
    public Uri? SendEndpoint { get; init; }

    /// <summary>The HTTP version to insist on, such as 2.0 for HTTP/2 without TLS. Default <see langword="null"/>: the best both sides speak.</summary>
    public Version? HttpVersion { get; init; }

    /// <summary>How connections are made. It must have its defaults where <see cref="TransportServices.HttpHandler"/> is set.</summary>
    public HttpConnectionOptions Http { get => _http.Shown; init => _http = new(value); }

    internal HttpConnectionOptions HttpRules => _http.Read;

    internal HttpMethod EffectiveMethod => ResumeFrom is not null ? HttpMethod.Get : Method ?? (Body is null ? HttpMethod.Get : HttpMethod.Post);

    /// <summary>Which URLs start a stream once for the same key. Default: what the process has found out.</summary>
    internal StartsOnceMemory StartsOnce { get; init; } = StartsOnceMemory.Shared;

    internal sealed override void ValidateWith(HttpMessageHandler? httpHandler)
    {
        if (httpHandler is not null)
        {
            ForeignHandler.Validate(httpHandler, HttpRules);
        }
    }

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        OptionCheck.NotNull(Headers, nameof(Headers));
        foreach (var (name, value) in Headers)
        {
            OptionCheck.Header(name, value, nameof(Headers));
            // It would stand still while the stream goes on, and every reconnect would repeat messages.
            OptionCheck.Require(
                !string.Equals(name, WireHeaders.LastEventId, StringComparison.OrdinalIgnoreCase),
                nameof(Headers),
                $"{nameof(Headers)} must not set Last-Event-ID; that is what {nameof(LastEventId)} is for.");
        }

        if (Body is not null)
        {
            OptionCheck.Header("Content-Type", Body.MediaType, nameof(Body));
            OptionCheck.Require(
                Method != HttpMethod.Get && Method != HttpMethod.Head,
                nameof(Method),
                $"A {Method} request cannot have a {nameof(Body)}; use POST, or leave {nameof(Method)} unset.");
        }

        if (SendEndpoint is not null)
        {
            OptionCheck.Endpoint(SendEndpoint, nameof(SendEndpoint), ["http", "https"]);
        }

        OptionCheck.Require(
            HttpVersion is null || HttpVersion == System.Net.HttpVersion.Version11 || HttpVersion == System.Net.HttpVersion.Version20,
            nameof(HttpVersion),
            $"{nameof(HttpVersion)} must be 1.1 or 2.0, not {HttpVersion}.");
        OptionCheck.NotNull(HttpRules, nameof(Http)).Validate();
    }
}
