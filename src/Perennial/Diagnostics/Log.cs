using Microsoft.Extensions.Logging;

namespace Perennial.Diagnostics;

/// <summary>The log messages of a transport. They never contain a payload, a header value, a token or a query string.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "{Kind} transport {Id}: {From} -> {To}")]
    public static partial void StateChanged(ILogger logger, string kind, string id, TransportState from, TransportState to);

    [LoggerMessage(2, LogLevel.Warning, "{Kind} transport {Id}: {Code}, attempt {Attempt} in {Delay}")]
    public static partial void Retrying(ILogger logger, string kind, string id, TransportErrorCode code, int attempt, TimeSpan delay);

    [LoggerMessage(3, LogLevel.Error, "{Kind} transport {Id} failed: {Code}")]
    public static partial void Failed(ILogger logger, string kind, string id, TransportErrorCode code, Exception exception);

    [LoggerMessage(4, LogLevel.Debug, "{Kind} transport {Id}: {Count} messages, {Bytes} bytes")]
    public static partial void Received(ILogger logger, string kind, string id, int count, long bytes);

    [LoggerMessage(5, LogLevel.Warning, "{Kind} transport {Id}: messages may be missing or repeated ({Reason})")]
    public static partial void Gap(ILogger logger, string kind, string id, GapReason reason);

    [LoggerMessage(6, LogLevel.Error, "{Kind} transport {Id}: a handler of {Event} threw")]
    public static partial void HandlerThrew(ILogger logger, string kind, string id, string @event, Exception exception);

    [LoggerMessage(7, LogLevel.Warning, "{Kind} transport {Id}: {Count} events skipped because a handler does not return")]
    public static partial void EventsSkipped(ILogger logger, string kind, string id, int count);

    [LoggerMessage(8, LogLevel.Warning, "{Kind} transport {Id}: the connection did not close in an orderly way ({Error})")]
    public static partial void CloseFailed(ILogger logger, string kind, string id, string error);

    [LoggerMessage(9, LogLevel.Warning, "{Kind} transport {Id}: the server reports an error in the stream")]
    public static partial void ServerReportedError(ILogger logger, string kind, string id);

    [LoggerMessage(10, LogLevel.Warning, "{Kind} transport {Id}: a message of {Bytes} bytes was skipped, because it is not JSON")]
    public static partial void MessageSkipped(ILogger logger, string kind, string id, int bytes);
}
