using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.SeveralNodes;

/// <summary>A run that this node produces: what is recorded goes to the readers here, and wakes those of other nodes.</summary>
internal sealed class ProducedView : ProducedRun
{
    private readonly RunView _view;
    private readonly WakeUps _wakeUps;

    public ProducedView(RunView view, WakeUps wakeUps, int producer = 1)
        : base(view.Key with { Producer = producer })
    {
        (_view, _wakeUps) = (view, wakeUps);
        view.Produced = this;
    }

    public override void Publish(ReadOnlySpan<RunRecord> records, RunState state)
    {
        _view.Publish(records, state);
        _wakeUps.AddRecords(Key.Run);
    }

    public override void OnEndedElsewhere() => _view.MarkStale();
}
