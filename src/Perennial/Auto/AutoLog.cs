using Microsoft.Extensions.Logging;

namespace Perennial.Auto;

/// <summary>What an <see cref="AutoTransport"/> logs beside what every transport does. No payload, header value, token or query string, ever.</summary>
internal static partial class AutoLog
{
    [LoggerMessage(30, LogLevel.Warning, "auto transport {Id}: {Protocol} passed over: {Reason} ({Code}, HTTP status {Status})")]
    public static partial void PassedOver(
        ILogger logger, string id, AutoProtocol protocol, FallbackReason reason, TransportErrorCode code, int? status);

    [LoggerMessage(31, LogLevel.Information, "auto transport {Id}: connected by {Protocol}")]
    public static partial void ConnectedBy(ILogger logger, string id, AutoProtocol protocol);
}
