using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.SeveralNodes;

/// <summary>A run that this node produces: what is recorded goes to the readers here, and wakes those of other nodes.</summary>
internal sealed class ProducedView(RunView view, WakeUps wakeUps) : ProducedRun(view.Key)
{
    public override void Publish(ReadOnlySpan<RunRecord> records, RunState state)
    {
        view.Publish(records, state);
        wakeUps.AddRecords(Key.Run);
    }

    public override void OnEndedElsewhere() => view.MarkStale();
}
