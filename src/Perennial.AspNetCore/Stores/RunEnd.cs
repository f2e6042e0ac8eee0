using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore;

/// <summary>How a run ended, as every reader is told by its last record. Immutable.</summary>
/// <remarks>
/// The data is what common AI clients understand without knowing Perennial: <c>[DONE]</c> ends their sequence, an <c>error</c> object throws.
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

    /// <summary>All was said.</summary>
    public static RunEnd Completed { get; } = new(RunStatus.Completed, Done, RunDataKind.Text);

    /// <summary>The producer was asked to stop.</summary>
    public static RunEnd Stopped { get; } = new(RunStatus.Stopped, Done, RunDataKind.Text);

    /// <summary>The node that produced the run is gone: failed with the code <c>producer_lost</c>. Recorded by a store that nodes share.</summary>
    public static RunEnd ProducerLost { get; } = Failed("The server that produced this run is gone.", "producer_lost");

    /// <summary>The status of a run that ended so.</summary>
    public RunStatus Status { get; }

    /// <summary>The producer failed.</summary>
    /// <param name="message">Sent to every reader as it is.</param>
    /// <param name="code">Sent to every reader as it is; a short word for programs to compare.</param>
    public static RunEnd Failed(string message, string code) => new(
        RunStatus.Failed,
        ControlData.Failure(message, code),
        RunDataKind.Json);

    /// <summary>The last record of a run that ended so.</summary>
    public RunEvent ToEvent() => _event;
}
