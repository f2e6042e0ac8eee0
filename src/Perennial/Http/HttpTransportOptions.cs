using System.Collections.ObjectModel;
using Perennial.Wire;

namespace Perennial.Http;

/// <summary>Options for every transport over HTTP.</summary>
public abstract record HttpTransportOptions : TransportOptions
{
    private NestedOptions<HttpConnectionOptions> _http;

    /// <summary>
    /// Gets the key of a request option that is <see langword="true"/> if the server rejected the previous request with 401.
    /// <see cref="ConfigureRequest"/> must then fetch new credentials instead of using cached ones.
    /// </summary>
    public static HttpRequestOptionsKey<bool> CredentialsRejected { get; } = new("Perennial.CredentialsRejected");

    /// <summary>
    /// Gets the method that opens the stream. Default <see langword="null"/>: POST with a <see cref="Body"/>, otherwise GET.
    /// </summary>
    public HttpMethod? Method { get; init; }

    /// <summary>Gets the body of the request that opens the stream. Default none.</summary>
    public RequestBody? Body { get; init; }

    /// <summary>
    /// Gets the headers of every request. They are sent only to the endpoint's origin, not to another origin after a redirect. Default
    /// none.
    /// </summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>
    /// Gets a callback that completes each request just before it is sent, once per attempt, for instance with a token that expires. An
    /// exception ends the stream, except <see cref="HttpRequestException"/>, <see cref="IOException"/> and <see cref="TimeoutException"/>,
    /// which count as a failed attempt.
    /// </summary>
    public Func<HttpRequestMessage, CancellationToken, ValueTask>? ConfigureRequest { get; init; }

    /// <summary>
    /// Gets whether a request other than GET may be repeated although the server may have acted on it. Default <see langword="null"/>: only
    /// if the server has announced that the same <c>Idempotency-Key</c> starts a stream once (<c>Perennial-Starts: once</c>), to this
    /// transport or, within the last hour, to another transport of the process at the same URL without its query. <see langword="true"/>
    /// always allows it, also for messages sent by POST. <see langword="false"/> never allows it; for messages see
    /// <see cref="SendEndpoint"/>.
    /// </summary>
    /// <remarks>
    /// Each such request carries an <c>Idempotency-Key</c> (draft-ietf-httpapi-idempotency-key-header), the same for every repetition. A
    /// key in <see cref="Headers"/> replaces it. A request that is not repeated is resumed by GET if the response names its resource
    /// (<c>Content-Location</c>, RFC 9110, section 8.7). Otherwise the stream ends as interrupted.
    /// </remarks>
    public bool? AllowReplay { get; init; }

    /// <summary>
    /// Gets the URL to which <see cref="Transport.SendAsync(ReadOnlyMemory{byte}, CancellationToken)"/> posts. Each message has an
    /// <c>Idempotency-Key</c>. Default <see langword="null"/>: the stream's own resource, which is the endpoint of a GET, or the resource
    /// named in the response to another method.
    /// </summary>
    /// <remarks>
    /// A message whose outcome is unknown is posted again, with the same key, only in two cases: this is <see langword="null"/> and the
    /// stream's server has announced Perennial's protocol, or <see cref="AllowReplay"/> is <see langword="true"/>. Otherwise the send fails
    /// with <see cref="DeliveryStatus.Unknown"/>.
    /// </remarks>
    public Uri? SendEndpoint { get; init; }

    /// <summary>
    /// Gets the streaming format of the AI provider. It decides when the stream is complete and how it fails: a response that ends without
    /// the format's own end is a lost connection, whatever <see cref="TransportOptions.EndOfStream"/> is. Default
    /// <see cref="Dialects.Recognized"/>; <see cref="Dialects.None"/> turns it off. It has no effect if
    /// <see cref="TransportOptions.Classify"/> is set, over WebSockets and long polling, and if the server announces Perennial's protocol.
    /// </summary>
    public Dialect Dialect { get; init; } = Dialects.Recognized;

    /// <summary>
    /// Gets the required HTTP version, such as 2.0 for HTTP/2 without TLS. Default <see langword="null"/>: the highest version that both
    /// sides support.
    /// </summary>
    public Version? HttpVersion { get; init; }

    /// <summary>
    /// Gets the options for connections. They must be the defaults if <see cref="TransportServices.HttpHandler"/> is set.
    /// </summary>
    public HttpConnectionOptions Http { get => _http.Shown; init => _http = new(value); }

    internal HttpConnectionOptions HttpRules => _http.Read;

    internal HttpMethod EffectiveMethod =>
        ResumeFrom is not null ? HttpMethod.Get : Method ?? (Body is null ? HttpMethod.Get : HttpMethod.Post);

    /// <summary>The URLs at which the same key starts a stream once. Default: the memory of the process.</summary>
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
        OptionCheck.NotNull(Dialect, nameof(Dialect));
        OptionCheck.NotNull(Headers, nameof(Headers));
        foreach (var (name, value) in Headers)
        {
            OptionCheck.Header(name, value, nameof(Headers));
            // The header would not change while the stream advances, so every reconnect would repeat messages.
            OptionCheck.Require(
                !string.Equals(name, WireHeaders.LastEventId, StringComparison.OrdinalIgnoreCase),
                nameof(Headers),
                $"{nameof(Headers)} must not set Last-Event-ID; set {nameof(LastEventId)} instead.");
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
