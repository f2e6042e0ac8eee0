using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Delivery;

/// <summary>The place where a reader begins.</summary>
/// <param name="Cursor">The reader begins after this sequence; 0 for the start.</param>
/// <param name="Gap">The requested id if the run cannot resume after it, so the reader must get a gap event; otherwise null.</param>
internal readonly record struct ReaderPlace(long Cursor, string? Gap)
{
    /// <summary>Finds the place after the requested id.</summary>
    /// <param name="epoch">The epoch of the run.</param>
    /// <param name="state">The state of the run.</param>
    /// <param name="requested">The last id that the reader has, as received; null or empty for none.</param>
    public static ReaderPlace After(string epoch, RunState state, string? requested)
    {
        var start = state.Oldest - 1;
        if (string.IsNullOrEmpty(requested))
        {
            return start == 0 ? new(0, null) : new(start, new RunEventId(epoch, 0).ToString());
        }

        var isHonored = RunEventId.TryParse(requested, out var id) && string.Equals(id.Epoch, epoch, StringComparison.Ordinal)
            && id.Sequence >= start && id.Sequence <= state.Tail;
        return isHonored ? new(id.Sequence, null) : new(start, requested);
    }

    /// <summary>Whether the run has ended and the reader has its end.</summary>
    public bool HasEverything(RunState state) => state.Status != RunStatus.Running && IsAtTail(state);

    /// <summary>Whether the reader has all events so far.</summary>
    public bool IsAtTail(RunState state) => Cursor == state.Tail && Gap is null;
}
