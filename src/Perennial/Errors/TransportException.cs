using System.Net;

namespace Perennial;

/// <summary>
/// The exception for every failure between this process and the peer. Its message never contains a payload, a header value or a query
/// string.
/// </summary>
public sealed class TransportException : Exception
{
    /// <summary>Creates an exception.</summary>
    /// <param name="code">The code of the error.</param>
    /// <param name="message">One sentence for a person. It must not contain a secret.</param>
    /// <param name="isTransient">Whether another attempt may succeed. Default <see langword="false"/>.</param>
    /// <param name="innerException">The cause, or <see langword="null"/>.</param>
    public TransportException(TransportErrorCode code, string message, bool isTransient = false, Exception? innerException = null)
        : base(message, innerException)
    {
        Code = code;
        IsTransient = isTransient;
    }

    /// <summary>Gets the code of the error, for programs.</summary>
    public TransportErrorCode Code { get; }

    /// <summary>Gets whether another attempt may succeed. The code that detected the error decides this.</summary>
    public bool IsTransient { get; }

    /// <summary>Gets the HTTP status of the response that caused the error, or <see langword="null"/>.</summary>
    public HttpStatusCode? HttpStatus { get; init; }

    /// <summary>Gets the WebSocket close code that caused the error (RFC 6455, section 7.4), or <see langword="null"/>.</summary>
    public int? CloseCode { get; init; }

    /// <summary>
    /// Gets the delay that the server requested before the next attempt (RFC 9110, section 10.2.3), or <see langword="null"/>.
    /// </summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Gets the code in the server's own error message, or <see langword="null"/>. It comes from the body of an error response or from an
    /// error in the stream. A textual code such as <c>invalid_api_key</c> is preferred to a number.
    /// </summary>
    public string? ServerCode { get; init; }

    /// <summary>
    /// Gets the text of the server's own error message, or <see langword="null"/>. It comes from an error in the stream or from the body of
    /// an error response, of which at most 64 KiB are read, for at most 2 s (problem details, the JSON of model providers, plain text, the
    /// title of a page). The text is payload: it is not part of <see cref="Exception.Message"/>, so that it is not logged.
    /// </summary>
    public string? ServerMessage { get; init; }

    /// <summary>
    /// Gets whether the peer may have received the message of a failed send or request. <see langword="null"/> for other errors.
    /// </summary>
    public DeliveryStatus? Delivery { get; init; }

    /// <summary>
    /// Gets whether the error concerns the server, so that a circuit breaker counts it. Default <see langword="true"/>. False for an error
    /// in a callback that prepares the request.
    /// </summary>
    public bool IsAboutOrigin { get; init; } = true;

    /// <summary>Returns a TransportException as it is, or wraps another exception with the code Unexpected.</summary>
    internal static TransportException From(Exception e) =>
        e as TransportException
        ?? new TransportException(
            TransportErrorCode.Unexpected, $"Code outside the library threw {e.GetType().Name}.", isTransient: false, e);

    /// <summary>Returns the same error as not transient, with another code and message.</summary>
    internal TransportException AsFinal(TransportErrorCode code, string message) => About(code, message, isTransient: false, Delivery);

    /// <summary>Returns the same error with another message.</summary>
    internal TransportException About(string message, bool isTransient) => About(Code, message, isTransient, Delivery);

    /// <summary>Returns the same error with another delivery status.</summary>
    internal TransportException With(DeliveryStatus delivery) => Delivery == delivery ? this : About(Code, Message, IsTransient, delivery);

    private TransportException About(TransportErrorCode code, string message, bool isTransient, DeliveryStatus? delivery) =>
        new(code, message, isTransient, this)
        {
            HttpStatus = HttpStatus,
            CloseCode = CloseCode,
            RetryAfter = RetryAfter,
            ServerCode = ServerCode,
            ServerMessage = ServerMessage,
            Delivery = delivery,
            IsAboutOrigin = IsAboutOrigin,
        };
}

/// <summary>The codes of <see cref="TransportException"/>, for programs.</summary>
public enum TransportErrorCode
{
    /// <summary>Code outside the library failed: a callback or a custom protocol.</summary>
    Unexpected,

    /// <summary>
    /// The server could not be reached: the name was not resolved, there was no route, the connection was refused, or TLS failed.
    /// </summary>
    ConnectFailed,

    /// <summary>The response headers did not arrive within <see cref="TransportOptions.ConnectTimeout"/>.</summary>
    ConnectTimeout,

    /// <summary>No byte arrived within <see cref="TransportOptions.IdleTimeout"/>, or within three announced heartbeat intervals.</summary>
    IdleTimeout,

    /// <summary>The connection was interrupted.</summary>
    ConnectionLost,

    /// <summary>The connection was closed in an orderly way, but without an end marker, and the options require one.</summary>
    EndedWithoutMarker,

    /// <summary>The server responded with a status other than success; see <see cref="TransportException.HttpStatus"/>.</summary>
    HttpStatus,

    /// <summary>The response has a content type that this transport does not read.</summary>
    UnexpectedContentType,

    /// <summary>The peer violated the protocol or does not speak it.</summary>
    ProtocolViolation,

    /// <summary>The peer closed the WebSocket with an error; see <see cref="TransportException.CloseCode"/>.</summary>
    ClosedByPeer,

    /// <summary>A message is larger than <see cref="TransportOptions.MaxMessageBytes"/>.</summary>
    MessageTooLarge,

    /// <summary>A redirect is not followed: there were too many, it leads to a weaker scheme, or it has no target.</summary>
    RedirectRefused,

    /// <summary>The connection was lost, and another attempt would repeat a side effect or restart the stream unnoticed.</summary>
    Interrupted,

    /// <summary>
    /// All attempts that <see cref="ReconnectOptions.MaxAttempts"/> allows failed. The inner exception is the last failure.
    /// </summary>
    AttemptsExhausted,

    /// <summary>The server requested a delay longer than <see cref="ReconnectOptions.MaxRetryAfter"/>.</summary>
    RetryAfterTooLong,

    /// <summary>The producer on the server failed; see <see cref="TransportException.ServerCode"/>.</summary>
    ServerFailed,

    /// <summary>A message cannot be deserialized to the requested type.</summary>
    InvalidMessage,

    /// <summary>The peer refused a message.</summary>
    SendRejected,

    /// <summary>One attempt to send a message took longer than <see cref="SendOptions.Timeout"/>.</summary>
    SendTimeout,

    /// <summary>The send queue is full.</summary>
    SendQueueFull,

    /// <summary>The transport is closed or failed.</summary>
    NotConnected,

    /// <summary>The server answered a request with an error; see <see cref="TransportException.ServerCode"/>.</summary>
    RequestFailed,

    /// <summary>No reply to a request arrived within <see cref="Requests.RequestOptions.Timeout"/>.</summary>
    ReplyTimeout,

    /// <summary>
    /// The connection was lost after a request. The reply may be lost too, because the server does not number its messages.
    /// </summary>
    ReplyLost,

    /// <summary><see cref="SendOptions.MaxOutstandingRequests"/> requests are already waiting for replies.</summary>
    TooManyRequests,

    /// <summary>The origin failed repeatedly, and no probe has succeeded since. The inner exception is the last failure.</summary>
    CircuitOpen,
}
