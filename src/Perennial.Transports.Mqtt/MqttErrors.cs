using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Perennial.Transports.Mqtt;

/// <summary>
/// Converts errors of the network and reason codes of MQTT to <see cref="TransportException"/>, and decides what is transient.
/// </summary>
internal static class MqttErrors
{
    public static TransportException FromOpening(Exception e, Uri endpoint) => e switch
    {
        TransportException known => known,
        AuthenticationException or { InnerException: AuthenticationException } => new(
            TransportErrorCode.ConnectFailed, $"TLS with {endpoint.Host} failed: the certificate or protocol is not acceptable.", false, e),
        SocketException or HttpRequestException or WebSocketException { InnerException: HttpRequestException } => new(
            TransportErrorCode.ConnectFailed, $"{endpoint.Host} cannot be reached.", isTransient: true, e),
        WebSocketException => new(
            TransportErrorCode.ProtocolViolation, $"{endpoint.Host} does not accept a WebSocket with the subprotocol mqtt.", false, e),
        _ => Lost(e),
    };

    public static TransportException Lost(Exception? e = null) =>
        new(TransportErrorCode.ConnectionLost, "The connection was interrupted.", isTransient: true, e);

    public static TransportException Violation(string what, Exception? e = null) =>
        new(TransportErrorCode.ProtocolViolation, what, isTransient: false, e);

    public static TransportException TooLarge(int maxMessageBytes) => new(
        TransportErrorCode.MessageTooLarge, $"A message is larger than MaxMessageBytes ({maxMessageBytes} bytes).");

    /// <summary>A refused connection (MQTT 5, section 3.2.2.2). MQTT 3.1.1 has the same reasons under other numbers.</summary>
    public static TransportException FromConnect(MqttConnAckPacket answer, MqttVersion version)
    {
        var reason = version == MqttVersion.V5 ? answer.ReasonCode : FromReturnCode(answer.ReturnCode);
        var isTransient = reason is MqttConnectReasonCode.ServerUnavailable or MqttConnectReasonCode.ServerBusy
            or MqttConnectReasonCode.QuotaExceeded or MqttConnectReasonCode.ConnectionRateExceeded
            or MqttConnectReasonCode.UnspecifiedError or MqttConnectReasonCode.ImplementationSpecificError;
        return Refusal(
            TransportErrorCode.ConnectFailed, "The server refused the connection", reason.ToString(), answer.ReasonString, isTransient);
    }

    /// <summary>A refused subscription (MQTT 5, section 3.9.3).</summary>
    public static TransportException FromSubscribe(MqttSubscribeReasonCode reason, string? text)
    {
        var isTransient = reason is MqttSubscribeReasonCode.UnspecifiedError or MqttSubscribeReasonCode.QuotaExceeded
            or MqttSubscribeReasonCode.ImplementationSpecificError;
        return Refusal(TransportErrorCode.ConnectFailed, "The server refused a subscription", reason.ToString(), text, isTransient);
    }

    /// <summary>A connection that the server ended, and why (MQTT 5, section 3.14.2.1).</summary>
    public static TransportException FromDisconnect(MqttDisconnectPacket packet)
    {
        var isTransient = packet.ReasonCode is not (MqttDisconnectReasonCode.NotAuthorized or MqttDisconnectReasonCode.SessionTakenOver
            or MqttDisconnectReasonCode.MalformedPacket or MqttDisconnectReasonCode.ProtocolError
            or MqttDisconnectReasonCode.TopicFilterInvalid or MqttDisconnectReasonCode.TopicNameInvalid
            or MqttDisconnectReasonCode.PacketTooLarge or MqttDisconnectReasonCode.PayloadFormatInvalid
            or MqttDisconnectReasonCode.RetainNotSupported or MqttDisconnectReasonCode.QoSNotSupported
            or MqttDisconnectReasonCode.UseAnotherServer or MqttDisconnectReasonCode.ServerMoved
            or MqttDisconnectReasonCode.SharedSubscriptionsNotSupported or MqttDisconnectReasonCode.WildcardSubscriptionsNotSupported);
        return Refusal(
            TransportErrorCode.ClosedByPeer,
            "The server ended the connection",
            packet.ReasonCode.ToString(),
            packet.ReasonString,
            isTransient);
    }

    /// <summary>A message that the server refused (MQTT 5, sections 3.4.2.1 and 3.5.2.1).</summary>
    public static TransportException FromPublish(string reason, string? text) => new(
        TransportErrorCode.SendRejected, $"The server refused the message ({reason}).")
    {
        Delivery = DeliveryStatus.NotSent,
        ServerCode = reason,
        ServerMessage = text,
    };

    private static TransportException Refusal(TransportErrorCode code, string what, string reason, string? text, bool isTransient) =>
        new(code, $"{what} ({reason}).", isTransient)
        {
            ServerCode = reason,
            ServerMessage = text,
        };

    private static MqttConnectReasonCode FromReturnCode(MqttConnectReturnCode code) => code switch
    {
        MqttConnectReturnCode.ConnectionAccepted => MqttConnectReasonCode.Success,
        MqttConnectReturnCode.ConnectionRefusedUnacceptableProtocolVersion => MqttConnectReasonCode.UnsupportedProtocolVersion,
        MqttConnectReturnCode.ConnectionRefusedIdentifierRejected => MqttConnectReasonCode.ClientIdentifierNotValid,
        MqttConnectReturnCode.ConnectionRefusedServerUnavailable => MqttConnectReasonCode.ServerUnavailable,
        MqttConnectReturnCode.ConnectionRefusedBadUsernameOrPassword => MqttConnectReasonCode.BadUserNameOrPassword,
        _ => MqttConnectReasonCode.NotAuthorized,
    };
}
