
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Delivery;

/// <summary>One reader's connection, in one form. Used by one caller at a time.</summary>
internal interface IRunSink
{
    /// <summary>Adds a record to the next flush.</summary>
    void Write(RunRecord record);

    /// <summary>
    /// Adds an event without an id. A reader that is cut off right after it resumes with the same id and gets the same event again.
    /// </summary>
    void Write(ControlEvent control);

    /// <summary>Adds a heartbeat, which is not an event.</summary>
    void WriteHeartbeat();

    /// <summary>
    /// Adds waiting messages about the connection, such as acknowledgements. Called before records are written, and at each wake-up.
    /// </summary>
    /// <returns>Whether there were any.</returns>
    bool WriteAside() => false;

    /// <summary>Sends the added bytes, and waits until there is room for more.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the peer is gone.</exception>
    ValueTask FlushAsync(CancellationToken cancellationToken);
}
