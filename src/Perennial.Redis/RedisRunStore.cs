using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;
using Perennial.SeveralNodes;

namespace Perennial.Redis;

/// <summary>Keeps runs in Redis, shared by any number of nodes. This object is one of the nodes. Safe from any thread.</summary>
/// <remarks>
/// It works from the start of the host to the end of its stop. A stop writes waiting events and ends open runs. If the store is disposed
/// without a stop, open runs end when the lease expires, as after a crash.
/// </remarks>
internal sealed class RedisRunStore : RunStore, INodeStore, IHostedLifecycleService, IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly Guid _node = Guid.NewGuid();
    private readonly RedisStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<RedisRunStore> _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Database _database;
    private readonly Names _names;
    private readonly NodeTable _nodes;
    private readonly RunReads _reads;
    private readonly RunViews _views;
    private readonly GroupCommitWriter _writer;
    private readonly Lease _lease;
    private readonly Starts _starts;
    private Task _work = Task.CompletedTask;

    public RedisRunStore(
        string configuration, IOptions<RedisStoreOptions> options, IOptions<PerennialServerOptions> server, TimeProvider time,
        ILogger<RedisRunStore> logger)
    {
        (_options, _time, _logger) = (options.Value, time, logger);
        var retention = server.Value.FinishedRunRetention;
        _database = new Database(configuration, logger);
        _names = new Names(_options.KeyPrefix);
        _nodes = new NodeTable(_database, _names, _node, retention);
        _reads = new RunReads(_database, _names, retention);
        _views = new RunViews(new RecordCache(_options.MaxCachedBytes), _reads);
        _starts = new Starts(_database, _names, _nodes, _node, server.Value.Starts);
        Inbox = new Inbox(_database, _names, server.Value.MaxPendingMessageBytes);
        Writes = new WriteQueue(server.Value.MaxBytesPerRun, _options.MaxQueuedBytes, time);
        WakeUps = new WakeUps(NotifyAsync, _node, time, logger);
        _writer = new GroupCommitWriter(
            new BatchRecorder(_database, _names, _nodes, retention, logger), Writes, _options.WriteTimeout, time);
        _lease = new Lease(_nodes, WakeUps, _views, _node, _options.LeaseDuration, time, logger);
        _database.Restored += _views.MarkAllStale;      // notifications were lost meanwhile
    }

    public WriteQueue Writes { get; }

    public WakeUps WakeUps { get; }

    public INodeInbox Inbox { get; }

    /// <summary>Whether news from other nodes arrives at once.</summary>
    public bool IsListening => _database.IsSubscribed(_names.Channel);

    public override async ValueTask<RunLog> CreateAsync(NewRun run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        var (isKnown, isCreated) = await _starts.CreateAsync(run, cancellationToken);
        if (!isKnown)
        {
            // Other nodes have removed this node while it was away, or Redis has lost everything. New runs may start.
            await _lease.RegisterAsync(cancellationToken);
            (isKnown, isCreated) = await _starts.CreateAsync(run, cancellationToken);
        }

        if (!isKnown)
        {
            throw new RunStoreException("This node cannot keep its lease.");
        }

        if (!isCreated)
        {
            throw new InvalidOperationException("A run with this id exists.");
        }

        var view = _views.Of(new RunKey(Names.Number(run.Id, run.Epoch), run.Id, run.Epoch, run.Dialect)
        {
            Description = run.Description,
        });
        return new NodeRunLog(view, this, new ProducedView(view, WakeUps));
    }

    public override async ValueTask<RunLog?> FindAsync(string id, CancellationToken cancellationToken) =>
        await _reads.FindAsync(id, cancellationToken) is { } key ? new NodeRunLog(_views.Of(key), this, produced: null) : null;

    public override async ValueTask<RunLogPage> FindByOwnerAsync(
        string owner, int count, long? before, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(owner);
        var found = await _reads.FindOwnedAsync(owner, count + 1, before, cancellationToken);
        return new RunLogPage
        {
            Runs = [.. found.Take(count).Select(run => new NodeRunLog(_views.Of(run.Key), this, produced: null))],
            Next = found.Count > count ? found[count - 1].Place : null,
        };
    }

    public override async ValueTask<RunLog?> FindByKeyAsync(string key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        return await _reads.FindKeyedAsync(key, cancellationToken) is { } run
            ? new NodeRunLog(_views.Of(run), this, produced: null)
            : null;
    }

    public override async ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (await _starts.ClaimAsync(key, cancellationToken) is { } claim)
        {
            return claim;
        }

        await _lease.RegisterAsync(cancellationToken);
        return await _starts.ClaimAsync(key, cancellationToken) ?? throw new RunStoreException("This node cannot keep its lease.");
    }

    public override async ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        await _starts.ReleaseAsync(key, cancellationToken);
    }

    /// <summary>
    /// Unhealthy if Redis does not answer; degraded if wake-ups from other nodes come late, or if Redis may evict open runs.
    /// </summary>
    public override async ValueTask<HealthCheckResult> CheckHealthAsync(CancellationToken cancellationToken)
    {
        string policy;
        try
        {
            policy = await _reads.EvictionPolicyAsync(cancellationToken);
        }
        catch (RunStoreException e)
        {
            return HealthCheckResult.Unhealthy("The database of runs does not answer.", e);
        }

        if (policy.StartsWith("allkeys", StringComparison.Ordinal))
        {
            return HealthCheckResult.Degraded($"Redis may evict open runs: its maxmemory-policy is {policy}, and should be noeviction.");
        }

        return IsListening
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded("The connection for wake-ups is lost: events from other nodes arrive up to a second late.");
    }

    public Task<RunStatus> EndAsync(RunKey key, RunEnd ending, CancellationToken cancellationToken) =>
        _nodes.EndAsync(key, ending, cancellationToken);

    /// <summary>Connects, takes the lease, and begins to work. Called before any other service of the host starts.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await _database.ConnectAsync(cancellationToken);
        await _database.SubscribeAsync(_names.Channel, payload => WakeUps.Deliver(payload, _views));
        await _lease.RegisterAsync(cancellationToken);
        _work = Task.WhenAll(
            _writer.RunAsync(_stop.Token),
            WakeUps.RunAsync(_stop.Token),
            RepeatAsync("lease", _lease.Interval, _lease.RenewAsync),
            RepeatAsync("sweep", SweepInterval, SweepAsync));

        Task RepeatAsync(string name, TimeSpan interval, Func<CancellationToken, Task> work) =>
            PeriodicWork.RunAsync(interval, work, e => Log.PutOff(_logger, name, e), _time, _stop.Token);
    }

    /// <summary>
    /// Writes waiting events, ends the runs that this node still produces, and notifies the other nodes. Called after every other service
    /// has stopped.
    /// </summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Writes.DrainAsync().WaitAsync(_options.LeaseDuration, _time, cancellationToken);
            await _stop.CancelAsync();
            await _work;
            await _lease.GiveBackAsync(cancellationToken);
            await WakeUps.SendAsync(cancellationToken);
        }
        catch (Exception e) when (e is RunStoreException or OperationCanceledException or TimeoutException)
        {
            Log.PutOff(_logger, "goodbye", e);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        await _database.DisposeAsync();
        _views.MarkAllStale();      // otherwise readers that wait on this node would wait for ever
    }

    public void Dispose()
    {
        _stop.Cancel();
        _database.Dispose();
        _views.MarkAllStale();
    }

    private Task NotifyAsync(string[] payloads, CancellationToken cancellationToken)
    {
        foreach (var payload in payloads)
        {
            _database.Publish(_names.Channel, payload);
        }

        return Task.CompletedTask;
    }

    /// <summary>
    /// Checks whether a reader that waits on this node has missed a wake-up, and whether Redis still has what this node has seen.
    /// </summary>
    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        var watched = _views.Watched.ToArray();
        if (watched.Length == 0)
        {
            return;
        }

        var tails = await _reads.TailsAsync([.. watched.Select(static view => (view.Key, view.SeenTail))], cancellationToken);
        for (var n = 0; n < watched.Length; n++)
        {
            if (tails[n] is { } run)
            {
                watched[n].Compare(run.Status, run.Tail, run.Position);
            }
            else
            {
                watched[n].MarkStale();
            }
        }
    }
}
