
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Delivery;

/// <summary>One reader's connection, in one form. Used by one caller at a time.</summary>
internal interface IRunSink
{
    /// <summary>Adds a record to what the next flush sends.</summary>
    void Write(RunRecord record);

    /// <summary>Adds what has no id, so that a reader cut off right after it asks for the same id again and is told the same.</summary>
    void Write(ControlEvent control);

    /// <summary>Adds a sign of life, which dispatches nothing.</summary>
    void WriteHeartbeat();

    /// <summary>Adds what there is to say beside the stream, about the connection. Asked before records are written, and whenever the loop is woken.</summary>
    /// <returns>Whether there was anything.</returns>
    bool WriteAside() => false;

    /// <summary>Sends what was written, and completes when there is room for more.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the peer is gone.</exception>
    ValueTask FlushAsync(CancellationToken cancellationToken);
}
