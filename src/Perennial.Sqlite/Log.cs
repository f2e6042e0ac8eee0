using Microsoft.Extensions.Logging;

namespace Perennial.Sqlite;

/// <summary>Log messages. They name a run by its epoch, because a client that knows its id may be able to read it.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "The file of runs cannot be used")]
    public static partial void Lost(ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Information, "The file of runs can be used again")]
    public static partial void Reached(ILogger logger);

    [LoggerMessage(3, LogLevel.Error, "Run {Epoch} is abandoned: its events could not be recorded")]
    public static partial void GaveUp(ILogger logger, string epoch, Exception exception);

    [LoggerMessage(
        4, LogLevel.Warning, "The process that used the file of runs before did not stop in order; its {Runs} open runs ended as failed")]
    public static partial void Recovered(ILogger logger, int runs);

    [LoggerMessage(5, LogLevel.Debug, "The {Work} of the store of runs was postponed")]
    public static partial void PutOff(ILogger logger, string work, Exception exception);

    [LoggerMessage(6, LogLevel.Debug, "{Runs} finished runs were deleted")]
    public static partial void Forgotten(ILogger logger, int runs);

    [LoggerMessage(7, LogLevel.Information, "Waiting until another process releases the file of runs {Path}")]
    public static partial void WaitingForFile(ILogger logger, string path);

    [LoggerMessage(8, LogLevel.Warning, "The file of runs has no room; a finished run was deleted before its time")]
    public static partial void ForgottenEarly(ILogger logger);
}
