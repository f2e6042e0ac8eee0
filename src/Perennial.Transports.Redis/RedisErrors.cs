using System.Security.Authentication;
using StackExchange.Redis;

namespace Perennial.Transports.Redis;

/// <summary>Converts errors of StackExchange.Redis to <see cref="TransportException"/>, and decides what is transient.</summary>
internal static class RedisErrors
{
    public static TransportException From(Exception e, bool isOpening = false) => e switch
    {
        TransportException known => known,
        RedisServerException refusal => FromServer(refusal),
        RedisConnectionException failure when FindServerError(failure) is { } said => FromServer(said),
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } when IsTls(e) => new(
            TransportErrorCode.ConnectFailed, "TLS failed: the certificate or protocol is not acceptable.", isTransient: false, e),
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } => new(
            TransportErrorCode.ConnectFailed, "The server refused the credentials.", isTransient: false),
        RedisConnectionException { FailureType: ConnectionFailureType.ProtocolFailure } =>
            new(TransportErrorCode.ProtocolViolation, "The server does not speak the Redis protocol.", isTransient: false, e),
        _ when isOpening => new(TransportErrorCode.ConnectFailed, "The server cannot be reached.", isTransient: true, e),
        _ => Lost(e),
    };

    public static TransportException Lost(Exception? e = null) =>
        new(TransportErrorCode.ConnectionLost, "The connection was interrupted.", isTransient: true, e);

    public static TransportException TooLarge(int maxMessageBytes) => new(
        TransportErrorCode.MessageTooLarge, $"A message is larger than MaxMessageBytes ({maxMessageBytes} bytes).");

    /// <summary>A failed send. Only a command that never left is known not to have arrived.</summary>
    public static TransportException FromSend(Exception e)
    {
        var isUnsent = e is RedisConnectionException { CommandStatus: CommandStatus.WaitingToBeSent or CommandStatus.WaitingInBacklog };
        if (e is RedisServerException refusal)
        {
            return new TransportException(TransportErrorCode.SendRejected, "The server refused the message.", isTransient: false)
            {
                Delivery = DeliveryStatus.NotSent,
                ServerCode = CodeOf(refusal),
                ServerMessage = refusal.Message,
            };
        }

        return new TransportException(TransportErrorCode.ConnectionLost, "The connection was interrupted.", isTransient: true, e)
        {
            Delivery = isUnsent ? DeliveryStatus.NotSent : DeliveryStatus.Unknown,
        };
    }

    /// <summary>An error reply begins with a word in capitals that says what it is about.</summary>
    private static TransportException FromServer(RedisServerException e)
    {
        var code = CodeOf(e);
        var isTransient = code is "LOADING" or "BUSY" or "MASTERDOWN" or "CLUSTERDOWN" or "TRYAGAIN" or "READONLY";
        return new TransportException(
            code is "WRONGTYPE" ? TransportErrorCode.ProtocolViolation : TransportErrorCode.ConnectFailed,
            $"The server refused ({code}).",
            isTransient)
        {
            ServerCode = code,
            ServerMessage = e.Message,
        };
    }

    private static string CodeOf(RedisServerException e) => e.Message.Split(' ')[0].Trim(':');

    private static bool IsTls(Exception? e) => e is not null && (e is AuthenticationException || IsTls(e.InnerException));

    private static RedisServerException? FindServerError(Exception? e) =>
        e is null ? null : e as RedisServerException ?? FindServerError(e.InnerException);
}
