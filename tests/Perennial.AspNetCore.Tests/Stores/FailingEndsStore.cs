using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>A store that cannot record an end the first few times.</summary>
internal sealed class FailingEndsStore(RunStore inner, int failures) : PassingStore(inner)
{
    private int _left = failures;

    protected override RunLog Wrap(RunLog log) => new FailingEndsLog(this, log);

    private sealed class FailingEndsLog(FailingEndsStore store, RunLog log) : PassingLog(log)
    {
        public override ValueTask<RunStatus> CloseAsync(RunEnd ending, CancellationToken cancellationToken) =>
            Interlocked.Decrement(ref store._left) >= 0
            ? throw new RunStoreException("The store is away.")
            : base.CloseAsync(ending, cancellationToken);
    }
}
