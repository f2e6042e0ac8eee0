using Microsoft.Extensions.Logging;

namespace Perennial.Management;

/// <summary>The log messages of a manager. They never contain a payload, a header value, a token or a query string.</summary>
internal static partial class ManagerLog
{
    [LoggerMessage(20, LogLevel.Error, "A handler of the manager's {Event} threw")]
    public static partial void HandlerThrew(ILogger logger, string @event, Exception exception);

    [LoggerMessage(21, LogLevel.Warning, "{Kind} transport {Id} did not close within {Limit}; the manager no longer waits for it")]
    public static partial void CloseTimedOut(ILogger logger, string kind, string id, TimeSpan limit);

    [LoggerMessage(22, LogLevel.Information, "{Kind} transport {Id} was removed from the pool ({Reason})")]
    public static partial void Swept(ILogger logger, string kind, string id, RemovalReason reason);

    [LoggerMessage(23, LogLevel.Warning, "{Kind} transport {Id} is unhealthy: {Reason}")]
    public static partial void Unhealthy(ILogger logger, string kind, string id, string reason);
}
