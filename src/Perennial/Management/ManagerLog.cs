using Microsoft.Extensions.Logging;

namespace Perennial.Management;

/// <summary>What a manager logs. No payload, header value, token or query string, ever.</summary>
internal static partial class ManagerLog
{
    [LoggerMessage(20, LogLevel.Error, "A handler of the manager's {Event} threw")]
    public static partial void HandlerThrew(ILogger logger, string @event, Exception exception);

    [LoggerMessage(21, LogLevel.Warning, "{Kind} transport {Id} is left behind: it did not close within {Limit}")]
    public static partial void LeftBehind(ILogger logger, string kind, string id, TimeSpan limit);

    [LoggerMessage(22, LogLevel.Information, "{Kind} transport {Id} was swept ({Reason})")]
    public static partial void Swept(ILogger logger, string kind, string id, RemovalReason reason);

    [LoggerMessage(23, LogLevel.Warning, "{Kind} transport {Id} is unhealthy: {Reason}")]
    public static partial void Unhealthy(ILogger logger, string kind, string id, string reason);
}
