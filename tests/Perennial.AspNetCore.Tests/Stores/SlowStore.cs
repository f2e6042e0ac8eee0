using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>A store that records an event when the test lets it, in the order of the calls.</summary>
internal sealed class SlowStore(RunStore inner) : PassingStore(inner), IDisposable
{
    private readonly SemaphoreSlim _permits = new(0);
    private int _calls;

    /// <summary>How often an event was handed in.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Decides about the n-th call in place of the store: null lets it pass.</summary>
    public Func<int, AppendOutcome?> Decide { get; init; } = static _ => null;

    /// <summary>Lets so many events be recorded.</summary>
    public void Let(int events) => _permits.Release(events);

    public void Dispose() => _permits.Dispose();

    protected override RunLog Wrap(RunLog log) => new SlowLog(this, log);

    private sealed class SlowLog(SlowStore store, RunLog log) : PassingLog(log)
    {
        private Task _last = Task.CompletedTask;

        public override ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken)
        {
            if (store.Decide(Interlocked.Increment(ref store._calls)) is { } refusal)
            {
                return ValueTask.FromResult(new AppendResult { Outcome = refusal });
            }

            var appending = AppendAfterAsync(_last, item, cancellationToken);
            _last = appending;
            return new ValueTask<AppendResult>(appending);
        }

        public override async ValueTask<RunStatus> CloseAsync(RunEnd ending, CancellationToken cancellationToken)
        {
            await _last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return await base.CloseAsync(ending, cancellationToken);
        }

        private async Task<AppendResult> AppendAfterAsync(Task before, RunEvent item, CancellationToken cancellationToken)
        {
            await before;
            await store._permits.WaitAsync(cancellationToken);
            if (item.Data.Span.SequenceEqual("-1"u8))
            {
                throw new RunStoreException("The store is away.");
            }

            return await base.AppendAsync(item, cancellationToken);
        }
    }
}
