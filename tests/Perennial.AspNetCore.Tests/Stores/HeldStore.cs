using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>A store that takes its time to record a run: until the test says go on.</summary>
internal sealed class HeldStore(IRunStore inner) : IRunStore
{
    private readonly TaskCompletionSource _isAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the store was asked to record a run.</summary>
    public Task IsAsked => _isAsked.Task;

    public void GoOn() => _go.TrySetResult();

    public async ValueTask<IRunLog> CreateAsync(NewRun run, CancellationToken cancellationToken)
    {
        _isAsked.TrySetResult();
        await _go.Task.WaitAsync(cancellationToken);
        return await inner.CreateAsync(run, cancellationToken);
    }

    public ValueTask<IRunLog?> FindAsync(string id, CancellationToken cancellationToken) => inner.FindAsync(id, cancellationToken);

    public ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken) => inner.ClaimStartAsync(key, cancellationToken);

    public ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken) => inner.ReleaseStartAsync(key, cancellationToken);
}
