using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore;

/// <summary>The ending of a run, which every reader gets as the last record. Immutable.</summary>
/// <remarks>
/// The data is in the format of common AI clients: <c>[DONE]</c> ends their sequence, and an <c>error</c> object makes them throw.
/// </remarks>
public sealed class RunEnd
{
    private static readonly byte[] Done = ControlData.Done.ToArray();

    private readonly RunEvent _event;

    private RunEnd(RunStatus status, byte[] data, RunDataKind kind)
    {
        Status = status;
        _event = new RunEvent { EventType = EventNames.ReservedPrefix + status.Name(), Data = data, Kind = kind };
    }

    /// <summary>Gets the ending of a complete run.</summary>
    public static RunEnd Completed { get; } = new(RunStatus.Completed, Done, RunDataKind.Text);

    /// <summary>Gets the ending of a stopped run.</summary>
    public static RunEnd Stopped { get; } = new(RunStatus.Stopped, Done, RunDataKind.Text);

    /// <summary>
    /// Gets the ending of a run whose node is gone: failed with the code <c>producer_lost</c>. A store that several nodes share records it.
    /// </summary>
    public static RunEnd ProducerLost { get; } = Failed("The server that produced this run is gone.", "producer_lost");

    /// <summary>Gets the status of a run with this ending.</summary>
    public RunStatus Status { get; }

    /// <summary>Creates the ending of a failed run.</summary>
    /// <param name="message">The message, sent unchanged to every reader.</param>
    /// <param name="code">A short code for programs, sent unchanged to every reader.</param>
    public static RunEnd Failed(string message, string code) => new(
        RunStatus.Failed,
        ControlData.Failure(message, code),
        RunDataKind.Json);

    /// <summary>The last record of a run with this ending.</summary>
    public RunEvent ToEvent() => _event;
}
