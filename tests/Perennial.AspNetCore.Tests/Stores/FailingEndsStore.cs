using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>A store that cannot record an end the first few times.</summary>
internal sealed class FailingEndsStore(IRunStore inner, int failures) : IRunStore
{
    private int _left = failures;

    public async ValueTask<IRunLog> CreateAsync(NewRun run, CancellationToken cancellationToken) =>
        new FailingEndsLog(this, await inner.CreateAsync(run, cancellationToken));

    public ValueTask<IRunLog?> FindAsync(string id, CancellationToken cancellationToken) => inner.FindAsync(id, cancellationToken);

    public ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken) => inner.ClaimStartAsync(key, cancellationToken);

    public ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken) => inner.ReleaseStartAsync(key, cancellationToken);

    private sealed class FailingEndsLog(FailingEndsStore store, IRunLog log) : IRunLog
    {
        public string Id => log.Id;

        public string Epoch => log.Epoch;

        public ValueTask<RunStatus> CloseAsync(RunEnd ending, CancellationToken cancellationToken) => Interlocked.Decrement(ref store._left) >= 0
            ? throw new RunStoreException("The store is away.")
            : log.CloseAsync(ending, cancellationToken);

        public ValueTask<RunState> GetStateAsync(CancellationToken cancellationToken) => log.GetStateAsync(cancellationToken);

        public ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken) => log.AppendAsync(item, cancellationToken);

        public ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken) => log.ReadAsync(after, maxBytes, cancellationToken);

        public IDisposable Subscribe(RunNews news, RunSignal signal) => log.Subscribe(news, signal);

        public ValueTask<ReceiveResult> ReceiveAsync(RunMessage message, CancellationToken cancellationToken) => log.ReceiveAsync(message, cancellationToken);

        public ValueTask<SenderState> GetSenderAsync(string sender, long firstOpen, CancellationToken cancellationToken) =>
            log.GetSenderAsync(sender, firstOpen, cancellationToken);

        public ValueTask<IReadOnlyList<RunMessage>> ReadMessagesAsync(long after, CancellationToken cancellationToken) => log.ReadMessagesAsync(after, cancellationToken);
    }
}
