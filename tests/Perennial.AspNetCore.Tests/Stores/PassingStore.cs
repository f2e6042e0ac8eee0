using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>A store that passes every call on to another one. A subclass changes what its test is about.</summary>
internal abstract class PassingStore(RunStore inner) : RunStore
{
    public override async ValueTask<RunLog> CreateAsync(NewRun run, CancellationToken cancellationToken) =>
        Wrap(await inner.CreateAsync(run, cancellationToken));

    public override async ValueTask<RunLog?> FindAsync(string id, CancellationToken cancellationToken) =>
        await inner.FindAsync(id, cancellationToken) is { } log ? WrapFound(log) : null;

    public override ValueTask<RunLogPage> FindByOwnerAsync(
        string owner, int count, long? before, CancellationToken cancellationToken) =>
        inner.FindByOwnerAsync(owner, count, before, cancellationToken);

    public override ValueTask<RunLog?> FindByKeyAsync(string key, CancellationToken cancellationToken) =>
        inner.FindByKeyAsync(key, cancellationToken);

    public override ValueTask<IReadOnlyList<RunLog>> TakeOverAsync(
        IReadOnlyCollection<string> resumptions, int count, CancellationToken cancellationToken) =>
        inner.TakeOverAsync(resumptions, count, cancellationToken);

    public override ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken) =>
        inner.ClaimStartAsync(key, cancellationToken);

    public override ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken) =>
        inner.ReleaseStartAsync(key, cancellationToken);

    /// <summary>The run for its producer.</summary>
    protected virtual RunLog Wrap(RunLog log) => log;

    /// <summary>The run for its readers and senders.</summary>
    protected virtual RunLog WrapFound(RunLog log) => log;
}

/// <summary>A run that passes every call on to another one.</summary>
internal abstract class PassingLog(RunLog inner) : RunLog
{
    public override string Id => inner.Id;

    public override string Epoch => inner.Epoch;

    public override string? Dialect => inner.Dialect;

    public override RunDescription Description => inner.Description;

    public override bool IsFenced => inner.IsFenced;

    public override ValueTask<RunState> GetStateAsync(CancellationToken cancellationToken) => inner.GetStateAsync(cancellationToken);

    public override ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken) =>
        inner.AppendAsync(item, cancellationToken);

    public override ValueTask<RunStatus> CloseAsync(RunEnd ending, CancellationToken cancellationToken) =>
        inner.CloseAsync(ending, cancellationToken);

    public override ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken) =>
        inner.ReadAsync(after, maxBytes, cancellationToken);

    public override IDisposable Subscribe(RunNews news, RunSignal signal) => inner.Subscribe(news, signal);

    public override ValueTask<ReceiveResult> ReceiveAsync(RunMessage message, CancellationToken cancellationToken) =>
        inner.ReceiveAsync(message, cancellationToken);

    public override ValueTask<SenderState> GetSenderAsync(string sender, long firstOpen, CancellationToken cancellationToken) =>
        inner.GetSenderAsync(sender, firstOpen, cancellationToken);

    public override ValueTask<IReadOnlyList<RunMessage>> ReadMessagesAsync(long after, CancellationToken cancellationToken) =>
        inner.ReadMessagesAsync(after, cancellationToken);
}
