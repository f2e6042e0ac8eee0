using Microsoft.Extensions.Logging;

namespace Perennial.AspNetCore.Diagnostics;

/// <summary>Log messages. They name a run by its epoch, because a client that knows its id may be able to read it.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Run {Epoch} started")]
    public static partial void Started(ILogger logger, string epoch);

    [LoggerMessage(2, LogLevel.Information, "The producer of run {Epoch} ended with the status {Status}")]
    public static partial void Ended(ILogger logger, string epoch, string status);

    [LoggerMessage(3, LogLevel.Error, "The producer of run {Epoch} failed")]
    public static partial void ProducerThrew(ILogger logger, string epoch, Exception exception);

    [LoggerMessage(4, LogLevel.Debug, "The producer of run {Epoch} threw after it was cancelled")]
    public static partial void ThrewAfterCancellation(ILogger logger, string epoch, Exception exception);

    [LoggerMessage(5, LogLevel.Warning, "A callback on the stop token of run {Epoch} threw")]
    public static partial void CancellationThrew(ILogger logger, string epoch, Exception exception);

    [LoggerMessage(6, LogLevel.Error, "The store failed during run {Epoch}")]
    public static partial void StoreThrew(ILogger logger, string epoch, Exception exception);

    [LoggerMessage(7, LogLevel.Error, "The store failed during a request")]
    public static partial void StoreUnavailable(ILogger logger, Exception exception);

    [LoggerMessage(8, LogLevel.Error, "Run {Epoch} was not started, because the store did not record it")]
    public static partial void NotRecorded(ILogger logger, string epoch, Exception exception);

    [LoggerMessage(9, LogLevel.Error, "A message to run {Epoch} could not be handled, so the run fails")]
    public static partial void MessageNotHandled(ILogger logger, string epoch, Exception exception);

    [LoggerMessage(10, LogLevel.Information, "Run {Epoch} lost its producer and is resumed here")]
    public static partial void Resumed(ILogger logger, string epoch);

    [LoggerMessage(11, LogLevel.Error, "Run {Epoch} cannot be resumed, because this server does not know its dialect {Dialect}")]
    public static partial void DialectUnknown(ILogger logger, string epoch, string dialect);

    [LoggerMessage(12, LogLevel.Warning, "Runs that lost their producer could not be taken over yet")]
    public static partial void NotTakenOver(ILogger logger, Exception exception);

    [LoggerMessage(20, LogLevel.Information, "Run {Epoch} was stopped because it had no reader")]
    public static partial void StoppedUnread(ILogger logger, string epoch);
}
