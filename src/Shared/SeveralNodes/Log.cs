using Microsoft.Extensions.Logging;

namespace Perennial.SeveralNodes;

/// <summary>Log messages. They name a run by its epoch, because a client that knows its id may be able to read it.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "The database of runs cannot be reached")]
    public static partial void Lost(ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Information, "The database of runs answers again")]
    public static partial void Reached(ILogger logger);

    [LoggerMessage(3, LogLevel.Error, "Run {Epoch} is abandoned: its events could not be recorded")]
    public static partial void GaveUp(ILogger logger, string epoch, Exception exception);

    [LoggerMessage(4, LogLevel.Warning, "Node {Node} is gone; its {Runs} open runs ended as failed")]
    public static partial void NodeLost(ILogger logger, Guid node, int runs);

    [LoggerMessage(5, LogLevel.Debug, "The {Work} of the store of runs was postponed")]
    public static partial void PutOff(ILogger logger, string work, Exception exception);

    [LoggerMessage(6, LogLevel.Debug, "{Runs} finished runs were deleted")]
    public static partial void Forgotten(ILogger logger, int runs);

    [LoggerMessage(7, LogLevel.Information, "Listening for runs of other nodes")]
    public static partial void Listening(ILogger logger);

    [LoggerMessage(8, LogLevel.Error, "Run {Epoch} ended as failed: the database lost events that it had confirmed")]
    public static partial void EventsLost(ILogger logger, string epoch);
}
