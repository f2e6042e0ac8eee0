using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>A store that records an event when the test lets it, in the order of the calls.</summary>
internal sealed class SlowStore(IRunStore inner) : IRunStore, IDisposable
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

    public async ValueTask<IRunLog> CreateAsync(NewRun run, CancellationToken cancellationToken) =>
        new SlowLog(this, await inner.CreateAsync(run, cancellationToken));

    public ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken) => inner.ClaimStartAsync(key, cancellationToken);

    public ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken) => inner.ReleaseStartAsync(key, cancellationToken);

    public ValueTask<IRunLog?> FindAsync(string id, CancellationToken cancellationToken) => inner.FindAsync(id, cancellationToken);

    private sealed class SlowLog(SlowStore store, IRunLog log) : IRunLog
    {
        private Task _last = Task.CompletedTask;

        public string Id => log.Id;

        public string Epoch => log.Epoch;

        public ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken)
        {
            if (store.Decide(Interlocked.Increment(ref store._calls)) is { } refusal)
            {
                return ValueTask.FromResult(new AppendResult(refusal));
            }

            var appending = AppendAfterAsync(_last, item, cancellationToken);
            _last = appending;
            return new ValueTask<AppendResult>(appending);
        }

        public async ValueTask<RunStatus> CloseAsync(RunEnd ending, CancellationToken cancellationToken)
        {
            await _last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return await log.CloseAsync(ending, cancellationToken);
        }

        public ValueTask<RunState> GetStateAsync(CancellationToken cancellationToken) => log.GetStateAsync(cancellationToken);

        public ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken) => log.ReadAsync(after, maxBytes, cancellationToken);

        public IDisposable Subscribe(RunNews news, RunSignal signal) => log.Subscribe(news, signal);

        public ValueTask<ReceiveResult> ReceiveAsync(RunMessage message, CancellationToken cancellationToken) => log.ReceiveAsync(message, cancellationToken);

        public ValueTask<SenderState> GetSenderAsync(string sender, long firstOpen, CancellationToken cancellationToken) =>
            log.GetSenderAsync(sender, firstOpen, cancellationToken);

        public ValueTask<IReadOnlyList<RunMessage>> ReadMessagesAsync(long after, CancellationToken cancellationToken) =>
            log.ReadMessagesAsync(after, cancellationToken);

        private async Task<AppendResult> AppendAfterAsync(Task before, RunEvent item, CancellationToken cancellationToken)
        {
            await before;
            await store._permits.WaitAsync(cancellationToken);
            if (item.Data.Span.SequenceEqual("-1"u8))
            {
                throw new RunStoreException("The store is away.");
            }

            return await log.AppendAsync(item, cancellationToken);
        }
    }
}
