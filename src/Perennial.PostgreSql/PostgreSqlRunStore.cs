using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;
using Perennial.SeveralNodes;

namespace Perennial.PostgreSql;

/// <summary>Keeps runs in PostgreSQL, shared by any number of nodes. This object is one of the nodes. Safe from any thread.</summary>
/// <remarks>
/// It works from the start of the host to the end of its stop. A stop writes waiting events and ends open runs. If the store is disposed
/// without a stop, open runs end when the lease expires, as after a crash.
/// </remarks>
internal sealed class PostgreSqlRunStore : RunStore, INodeStore, IHostedLifecycleService, IAsyncDisposable, IDisposable
{
    private const string Create = """
        WITH me AS (SELECT node FROM nodes WHERE node = $3 FOR KEY SHARE),
        may AS (SELECT FROM me WHERE $6 IS NULL OR EXISTS (SELECT FROM starts WHERE name = $6 AND request = $7)),
        made AS (
            INSERT INTO runs (id, epoch, node, takes_messages, retention, dialect, owner, key, metadata, resume_with)
            SELECT $1, $2, $3, $4, $5, $8, $9, $10, $11, $12 FROM may ON CONFLICT (id) DO NOTHING RETURNING run),
        started AS (UPDATE starts SET run_id = $1 WHERE name = $6 AND request = $7 AND EXISTS (SELECT FROM made))
        SELECT EXISTS (SELECT FROM me), coalesce(
            (SELECT run FROM made), (SELECT run FROM runs WHERE id = $1 AND epoch = $2 AND node = $3 AND tail = 0 AND status = 0))
        """;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetentionInterval = TimeSpan.FromSeconds(10);

    private readonly Guid _node = Guid.NewGuid();
    private readonly PerennialServerOptions _server;
    private readonly PostgreSqlStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<PostgreSqlRunStore> _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Database _database;
    private readonly RunReads _reads;
    private readonly RunViews _views;
    private readonly GroupCommitWriter _writer;
    private readonly WakeUpListener _listener;
    private readonly Lease _lease;
    private readonly Retention _retention;
    private readonly Starts _starts;
    private readonly Orphans _orphans;
    private readonly Sweep _sweep;
    private readonly RunEndings _endings;
    private Task _work = Task.CompletedTask;

    public PostgreSqlRunStore(
        string connectionString, IOptions<PostgreSqlStoreOptions> options, IOptions<PerennialServerOptions> server, TimeProvider time,
        ILogger<PostgreSqlRunStore> logger)
    {
        (_options, _server, _time, _logger) = (options.Value, server.Value, time, logger);
        var schema = _options.Schema;
        _database = new Database(connectionString, schema, logger);
        _reads = new RunReads(_database);
        _views = new RunViews(new RecordCache(_options.MaxCachedBytes), _reads);
        _endings = new RunEndings(_database);
        Inbox = new Inbox(_database, _server.MaxPendingMessageBytes);
        Writes = new WriteQueue(_server.MaxBytesPerRun, _options.MaxQueuedBytes, time);
        WakeUps = new WakeUps(new Notifications(_database, schema).SendAsync, _node, time, logger);
        _writer = new GroupCommitWriter(new BatchRecorder(_database, _node, logger), Writes, _options.WriteTimeout, time);
        _listener = new WakeUpListener(_database, schema, WakeUps, _views, time, logger);
        _lease = new Lease(new NodeTable(_database, _endings), WakeUps, _views, _node, _options.LeaseDuration, time, logger);
        _orphans = new Orphans(_database, _endings, WakeUps, _views, _node, _options.LeaseDuration, time);
        _sweep = new Sweep(_reads, _views, Writes, _orphans, _node);
        _starts = new Starts(_database, _node, _server.Starts);
        _retention = new Retention(_database, schema, _server.FinishedRunRetention, logger);
    }

    public WriteQueue Writes { get; }

    public WakeUps WakeUps { get; }

    public INodeInbox Inbox { get; }

    /// <summary>Whether news from other nodes arrives at once.</summary>
    public bool IsListening => _listener.IsListening;

    public override async ValueTask<RunLog> CreateAsync(NewRun run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        var (isKnown, number) = await TryCreateAsync(run, cancellationToken);
        if (!isKnown)
        {
            // Other nodes have removed this node while it was away. Its runs have ended. New runs may start.
            await _lease.RegisterAsync(cancellationToken);
            (isKnown, number) = await TryCreateAsync(run, cancellationToken);
        }

        if (number is { } key)
        {
            var view = _views.Of(new RunKey(key, run.Id, run.Epoch, run.Dialect) { Description = run.Description });
            return new NodeRunLog(view, this, new ProducedView(view, WakeUps));
        }

        if (!isKnown)
        {
            throw new RunStoreException("This node cannot keep its lease.");
        }

        if (run.Start is not null && await _reads.FindAsync(run.Id, TimeSpan.Zero, cancellationToken) is null)
        {
            throw new RunStoreException("The request that starts the run no longer has its Idempotency-Key.");
        }

        throw new InvalidOperationException("A run with this id exists.");
    }

    public override async ValueTask<RunLog?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (!StorableText.IsStorable(id) || await _reads.FindAsync(id, _server.FinishedRunRetention, cancellationToken) is not { } key)
        {
            return null;
        }

        return new NodeRunLog(_views.Of(key), this, produced: null);
    }

    public override async ValueTask<RunLogPage> FindByOwnerAsync(
        string owner, int count, long? before, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(owner);
        if (!StorableText.IsStorable(owner))
        {
            return RunLogPage.Empty;
        }

        var found = await _reads.FindOwnedAsync(owner, count + 1, before, _server.FinishedRunRetention, cancellationToken);
        return new RunLogPage
        {
            Runs = [.. found.Take(count).Select(key => new NodeRunLog(_views.Of(key), this, produced: null))],
            Next = found.Count > count ? found[count - 1].Run : null,
        };
    }

    public override async ValueTask<RunLog?> FindByKeyAsync(string key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        return StorableText.IsStorable(key) && await _reads.FindKeyedAsync(key, cancellationToken) is { } run
            ? new NodeRunLog(_views.Of(run), this, produced: null)
            : null;
    }

    public override async ValueTask<IReadOnlyList<RunLog>> TakeOverAsync(
        IReadOnlyCollection<string> resumptions, int count, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resumptions);
        return [.. (await _orphans.TakeOverAsync(resumptions, count, cancellationToken)).Select(Produce)];

        RunLog Produce(Orphan run)
        {
            var view = _views.Of(run.Key);
            return new NodeRunLog(view, this, new ProducedView(view, WakeUps, run.Producer) { Tail = run.Tail, Bytes = run.Bytes });
        }
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

    /// <summary>Unhealthy if the database does not answer, degraded if wake-ups from other nodes come late.</summary>
    public override async ValueTask<HealthCheckResult> CheckHealthAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _database.RunAsync(async (connection, stop) =>
            {
                await using var ping = connection.Command("SELECT 1");
                return await ping.ExecuteNonQueryAsync(stop);
            }, cancellationToken);
        }
        catch (RunStoreException e)
        {
            return HealthCheckResult.Unhealthy("The database of runs does not answer.", e);
        }

        return IsListening
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded("The connection for wake-ups is lost: events from other nodes arrive up to a second late.");
    }

    /// <summary>Creates missing tables, takes the lease, and begins to work. Called before any other service of the host starts.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await _database.RunAsync(async (connection, stop) =>
        {
            await Schema.CreateAsync(connection, _options.Schema, stop);
            return true;
        }, cancellationToken);
        await _lease.RegisterAsync(cancellationToken);
        _work = Task.WhenAll(
            _writer.RunAsync(_stop.Token),
            WakeUps.RunAsync(_stop.Token),
            _listener.RunAsync(_stop.Token),
            RepeatAsync("lease", _lease.Interval, _lease.RenewAsync),
            RepeatAsync("sweep", SweepInterval, _sweep.RunAsync),
            RepeatAsync("retention", RetentionInterval, _retention.SweepAsync),
            RepeatAsync("starts", RetentionInterval, _starts.SweepAsync));

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

    public Task<RunStatus> EndAsync(RunKey key, RunEnd ending, CancellationToken cancellationToken) =>
        _endings.EndAsync(key, ending, cancellationToken);

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

    private Task<(bool IsKnown, long? Run)> TryCreateAsync(NewRun run, CancellationToken cancellationToken) =>
        _database.RunAsync(async (connection, stop) =>
        {
            await using var create = connection.Command(
                Create, Sql.Value(run.Id), Sql.Value(run.Epoch), Sql.Value(_node), Sql.Value(run.TakesMessages), Sql.Value(run.Retention),
                Sql.Value(run.Start?.Name), Sql.Value(run.Start?.Request), Sql.Value(run.Dialect),
                Sql.Value(run.Description.Owner), Sql.Value(run.Description.Key), Sql.Value(MetadataText.Of(run.Description)),
                Sql.Value(run.Description.ResumeWith));
            await using var row = await create.ExecuteReaderAsync(stop);
            await row.ReadAsync(stop);
            return (row.GetBoolean(0), row.IsDBNull(1) ? null : (long?)row.GetInt64(1));
        }, cancellationToken);
}
