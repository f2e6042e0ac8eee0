using Microsoft.Extensions.Logging;

namespace Perennial.Gateway.Diagnostics;

/// <summary>The gateway's log messages. They name the upstream by host and port, and have no path, header or payload.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "The upstream {Upstream} did not answer: {Reason}")]
    public static partial void NoAnswer(ILogger logger, string upstream, string reason, Exception? exception);

    [LoggerMessage(2, LogLevel.Debug, "The upstream {Upstream} answers with a stream ({Dialect}).")]
    public static partial void Streams(ILogger logger, string upstream, string dialect);

    [LoggerMessage(3, LogLevel.Warning, "The key of a refused request cannot be released.")]
    public static partial void NotReleased(ILogger logger, Exception exception);
}
