using Microsoft.Extensions.Logging;

namespace Perennial.Auto;

/// <summary>
/// The log messages of <see cref="AutoTransport"/> in addition to those of every transport. They never contain a payload, a header value, a
/// token or a query string.
/// </summary>
internal static partial class AutoLog
{
    [LoggerMessage(30, LogLevel.Warning, "auto transport {Id}: {Protocol} passed over: {Reason} ({Code}, HTTP status {Status})")]
    public static partial void ProtocolFailed(
        ILogger logger, string id, AutoProtocol protocol, FallbackReason reason, TransportErrorCode code, int? status);

    [LoggerMessage(31, LogLevel.Information, "auto transport {Id}: connected by {Protocol}")]
    public static partial void ConnectedBy(ILogger logger, string id, AutoProtocol protocol);
}
