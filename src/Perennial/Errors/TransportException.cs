using System.Net;

namespace Perennial;

/// <summary>Everything that goes wrong between this process and the peer. Never holds a payload, a header value or a query string.</summary>
public sealed class TransportException : Exception
{
    /// <summary>Creates an error with a code, a sentence and whether another attempt may succeed.</summary>
    /// <param name="code">What went wrong.</param>
    /// <param name="message">One sentence for a person. It must contain no secret.</param>
    /// <param name="isTransient">Whether another attempt may succeed.</param>
    /// <param name="innerException">The cause, or <see langword="null"/>.</param>
    public TransportException(TransportErrorCode code, string message, bool isTransient = false, Exception? innerException = null)
        : base(message, innerException)
    {
        Code = code;
        IsTransient = isTransient;
    }

    /// <summary>What went wrong, for programs.</summary>
    public TransportErrorCode Code { get; }

    /// <summary>Whether another attempt may succeed. Decided where the error was found.</summary>
    public bool IsTransient { get; }

    /// <summary>The HTTP status of the response that caused the error, or <see langword="null"/>.</summary>
    public HttpStatusCode? HttpStatus { get; init; }

    /// <summary>The WebSocket close code that caused the error (RFC 6455, 7.4), or <see langword="null"/>.</summary>
    public int? CloseCode { get; init; }

    /// <summary>How long the server asked to be left alone (RFC 9110, 10.2.3), or <see langword="null"/>.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// The code of the server's own error message, or <see langword="null"/>: from the body of an error response, or from an error in the
    /// stream. A word such as <c>invalid_api_key</c> where the server gives one, else its number.
    /// </summary>
    public string? ServerCode { get; init; }

    /// <summary>
    /// What the server's own error message says, or <see langword="null"/>: from an error in the stream, or from the body of an error
    /// response, of which 64 KiB are read for at most 2 s (problem details, the JSON of model providers, plain text, the title of a
    /// page). It is payload: it is not part of <see cref="Exception.Message"/>, so that it reaches no log.
    /// </summary>
    public string? ServerMessage { get; init; }

    /// <summary>For a failed send or request: what is known of the message. <see langword="null"/> for other errors.</summary>
    public DeliveryStatus? Delivery { get; init; }

    /// <summary>Whether the error says something about the server, unlike one in a callback that prepares the request.</summary>
    internal bool IsAboutOrigin { get; init; } = true;

    /// <summary>An error as it is, where it is one of these; else the sign of a fault outside the transport's own code.</summary>
    internal static TransportException From(Exception e) =>
        e as TransportException
        ?? new TransportException(TransportErrorCode.Unexpected, $"{e.GetType().Name} outside the transport's own code.", isTransient: false, e);

    /// <summary>The same error, known not to be worth another attempt, with a sentence of its own.</summary>
    internal TransportException AsFinal(TransportErrorCode code, string message) => About(code, message, isTransient: false, Delivery);

    /// <summary>The same error, with a sentence of its own.</summary>
    internal TransportException About(string message, bool isTransient) => About(Code, message, isTransient, Delivery);

    /// <summary>The same error, with what is known of the message after all.</summary>
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

/// <summary>What went wrong, for programs.</summary>
public enum TransportErrorCode
{
    /// <summary>Code outside the library failed: a callback, a custom protocol.</summary>
    Unexpected,

    /// <summary>The server could not be reached: name, route, refused connection, TLS.</summary>
    ConnectFailed,

    /// <summary>No response headers within <see cref="TransportOptions.ConnectTimeout"/>.</summary>
    ConnectTimeout,

    /// <summary>No byte within <see cref="TransportOptions.IdleTimeout"/>, or three announced heartbeats.</summary>
    IdleTimeout,

    /// <summary>The connection broke off.</summary>
    ConnectionLost,

    /// <summary>The connection ended in good order, but the stream had not ended.</summary>
    EndedWithoutMarker,

    /// <summary>The server answered with a status that is not a stream; see <see cref="TransportException.HttpStatus"/>.</summary>
    HttpStatus,

    /// <summary>The response is not of the type this transport reads.</summary>
    UnexpectedContentType,

    /// <summary>The peer does not speak the protocol.</summary>
    ProtocolViolation,

    /// <summary>The peer closed a WebSocket for a reason; see <see cref="TransportException.CloseCode"/>.</summary>
    ClosedByPeer,

    /// <summary>A message is larger than <see cref="TransportOptions.MaxMessageBytes"/>.</summary>
    MessageTooLarge,

    /// <summary>A redirect that is not followed: too many, to a weaker scheme, or without a target.</summary>
    RedirectRefused,

    /// <summary>The connection was lost where going on would repeat a side effect or restart the stream silently.</summary>
    Interrupted,

    /// <summary>The attempts that <see cref="ReconnectOptions.MaxAttempts"/> allows are spent; the cause is the inner exception.</summary>
    AttemptsExhausted,

    /// <summary>The server asked for a wait longer than <see cref="ReconnectOptions.MaxRetryAfter"/>.</summary>
    RetryAfterTooLong,

    /// <summary>The producer on the server failed; see <see cref="TransportException.ServerCode"/>.</summary>
    ServerFailed,

    /// <summary>A message does not fit the type it was to be read as.</summary>
    InvalidMessage,

    /// <summary>The peer refused a message.</summary>
    SendRejected,

    /// <summary>One try of one send took longer than <see cref="SendOptions.Timeout"/>.</summary>
    SendTimeout,

    /// <summary>The send queue is full.</summary>
    SendQueueFull,

    /// <summary>The transport is closed or failed.</summary>
    NotConnected,

    /// <summary>The server answered a request with an error; see <see cref="TransportException.ServerCode"/>.</summary>
    RequestFailed,

    /// <summary>No reply to a request within <see cref="Requests.RequestOptions.Timeout"/>.</summary>
    ReplyTimeout,

    /// <summary>The connection was lost after a request, and the reply may have been lost with it: the server does not number what it says.</summary>
    ReplyLost,

    /// <summary><see cref="SendOptions.MaxOutstandingRequests"/> requests wait for their replies.</summary>
    TooManyRequests,

    /// <summary>The origin could not be reached repeatedly, and no probe has succeeded since; the last failure is the inner exception.</summary>
    CircuitOpen,
}
