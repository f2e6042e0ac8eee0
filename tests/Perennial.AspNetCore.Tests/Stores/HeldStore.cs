using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>A store that takes its time to record a run: until the test says go on.</summary>
internal sealed class HeldStore(RunStore inner) : PassingStore(inner)
{
    private readonly TaskCompletionSource _isAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the store was asked to record a run.</summary>
    public Task IsAsked => _isAsked.Task;

    public void GoOn() => _go.TrySetResult();

    public override async ValueTask<RunLog> CreateAsync(NewRun run, CancellationToken cancellationToken)
    {
        _isAsked.TrySetResult();
        await _go.Task.WaitAsync(cancellationToken);
        return await base.CreateAsync(run, cancellationToken);
    }
}
