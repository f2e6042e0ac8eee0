using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.Sqlite;

/// <summary>Keeps runs in a SQLite file that only this process uses. Safe from any thread.</summary>
/// <remarks>
/// It works from the start of the host to the end of its stop. A stop writes waiting events and ends open runs, except those that
/// may be resumed. If the store is disposed without a stop, the next start ends them, as after a crash.
/// </remarks>
internal sealed class SqliteRunStore : RunStore, IHostedLifecycleService, IAsyncDisposable, IDisposable
{
    private const int PageBytes = 64 * 1024;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);

    private readonly string _path;
    private readonly PerennialServerOptions _server;
    private readonly SqliteStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<SqliteRunStore> _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, SqliteRunLog> _open = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, SqliteRunLog> _left = new(StringComparer.Ordinal);     // open, without a producer
    private RunFile? _file;         // from the start on, like the next two
    private GroupCommitWriter? _writer;
    private Task _work = Task.CompletedTask;

    public SqliteRunStore(
        string path, IOptions<SqliteStoreOptions> options, IOptions<PerennialServerOptions> server, TimeProvider time,
        ILogger<SqliteRunStore> logger)
    {
        (_path, _options, _server, _time, _logger) = (Path.GetFullPath(path), options.Value, server.Value, time, logger);
        Cache = new RecordCache(_options.MaxCachedBytes);
        Writes = new WriteQueue(_server.MaxBytesPerRun, _options.MaxQueuedBytes, time);
    }

    public RecordCache Cache { get; }

    public WriteQueue Writes { get; }

    private RunFile OpenFile => _file ?? throw new RunStoreException("The store of runs has not started.");

    public override async ValueTask<RunLog> CreateAsync(NewRun run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        cancellationToken.ThrowIfCancellationRequested();
        // Not cancelled later: a run that is recorded must have its log, or nothing would ever end it.
        var number = await OpenFile.Writer.DoAsync(
            session => Runs.Create(session, run, _server.FinishedRunRetention), isFlushed: true, CancellationToken.None);
        return number is { } key
            ? _open[run.Id] = SqliteRunLog.Open(this, new RunKey(key, run.Id, run.Epoch, run.Dialect) { Description = run.Description })
            : throw new InvalidOperationException("A run with this id exists.");
    }

    public override async ValueTask<RunLog?> FindAsync(string id, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (_open.TryGetValue(id, out var open))
        {
            return open;
        }

        var ended = await OpenFile.Readers.ReadAsync(session => Runs.Find(session, id, _time.Now()), cancellationToken);
        return ended is null ? null : SqliteRunLog.Ended(this, ended);
    }

    public override async ValueTask<RunLogPage> FindByOwnerAsync(
        string owner, int count, long? before, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(owner);
        var found = await OpenFile.Readers.ReadAsync(
            session => Runs.FindOwned(session, owner, before ?? long.MaxValue, count + 1, _time.Now()), cancellationToken);
        var page = new List<RunLog>();
        foreach (var (_, id) in found.Take(count))
        {
            if (await FindAsync(id, cancellationToken) is { } run)
            {
                page.Add(run);
            }
        }

        return new RunLogPage { Runs = page, Next = found.Count > count ? found[count - 1].Run : null };
    }

    public override async ValueTask<RunLog?> FindByKeyAsync(string key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        return await OpenFile.Readers.ReadAsync(session => Runs.FindKeyed(session, key), cancellationToken) is { } id
            ? await FindAsync(id, cancellationToken)
            : null;
    }

    public override async ValueTask<IReadOnlyList<RunLog>> TakeOverAsync(
        IReadOnlyCollection<string> resumptions, int count, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resumptions);
        var taken = new List<RunLog>();
        foreach (var run in _left.Values)
        {
            if (!resumptions.Contains(run.Description.ResumeWith!, StringComparer.Ordinal))
            {
                await run.CloseAsync(RunEnd.ProducerLost, cancellationToken);
            }
            else if (taken.Count < count && _left.TryRemove(run.Id, out _))
            {
                taken.Add(run);
            }
        }

        return taken;
    }

    public override async ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        return await OpenFile.Writer.DoAsync(
            session => Starts.Claim(session, key, _server.Starts, _time.Now()), isFlushed: false, cancellationToken);
    }

    public override async ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        await OpenFile.Writer.DoAsync(session => Starts.Release(session, key), isFlushed: false, cancellationToken);
    }

    /// <summary>Unhealthy if the file cannot be written, degraded if it or its disk is nearly full.</summary>
    public override ValueTask<HealthCheckResult> CheckHealthAsync(CancellationToken cancellationToken) =>
        _file is null
            ? ValueTask.FromResult(HealthCheckResult.Unhealthy("The store of runs has not started."))
            : FileHealth.CheckAsync(_path, _file.Writer, _writer?.Trouble as RunStoreException, cancellationToken);

    /// <summary>
    /// Opens the file, ends runs that a process before has left open, and begins to work. Called before any other service starts.
    /// </summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        _file = await RunFile.OpenAsync(_path, _options, _time, _logger, cancellationToken);
        foreach (var left in _file.Left)
        {
            _open[left.Key.Id] = _left[left.Key.Id] = SqliteRunLog.Left(this, left);
        }

        var recorder = new BatchRecorder(_file.Writer, _options.FlushEveryEvent, _time, _logger);
        _writer = new GroupCommitWriter(recorder, Writes, _options.WriteTimeout, _time);
        _work = Task.WhenAll(
            _writer.RunAsync(_stop.Token),
            PeriodicWork.RunAsync(SweepInterval, SweepAsync, e => Log.PutOff(_logger, "retention", e), _time, _stop.Token));
    }

    /// <summary>
    /// Ends the runs that are still open, writes all waiting events and closes the file. Called after every other service has stopped.
    /// </summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (_file is null)
        {
            return;
        }

        try
        {
            var ending = _open.Values.Where(static run => run.Description.ResumeWith is null);
            await Task.WhenAll(ending.Select(run => run.CloseAsync(RunEnd.ProducerLost, cancellationToken).AsTask()));
            await Writes.DrainAsync().WaitAsync(cancellationToken);
            await _file.MarkCleanAsync(cancellationToken);
        }
        catch (Exception e) when (e is RunStoreException or OperationCanceledException)
        {
            Log.PutOff(_logger, "stop", e);
        }

        await DisposeAsync();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        CloseFile();
    }

    public void Dispose()
    {
        _stop.Cancel();
        CloseFile();
    }

    /// <summary>Called when the end of a run is recorded. From now on the run is found in the file.</summary>
    public void OnEnded(SqliteRunLog run)
    {
        _open.TryRemove(run.Id, out _);
        _left.TryRemove(run.Id, out _);
    }

    /// <summary>Reads records after a sequence up to another, from memory if they are there.</summary>
    /// <exception cref="RunStoreException">The file cannot be read, or the run was forgotten.</exception>
    public async ValueTask<ReadOnlyMemory<RunRecord>> ReadAsync(
        RunKey key, long after, long last, int maxBytes, CancellationToken cancellationToken)
    {
        var cached = Cache.Read(key.Run, after, last, maxBytes);
        if (!cached.IsEmpty)
        {
            return cached;
        }

        var (_, before) = Cache.GapAfter(key.Run, after);
        var read = await OpenFile.Readers.ReadAsync(
            session => Events.Read(session, key, after, Math.Min(before, last + 1), Math.Min(maxBytes, PageBytes)), cancellationToken);
        if (read.Length == 0)
        {
            throw new RunStoreException("The run is no longer kept.");
        }

        Cache.Add(key.Run, read);
        cached = Cache.Read(key.Run, after, last, maxBytes);
        return cached.IsEmpty ? read : cached;
    }

    public Task<ReceiveResult> ReceiveAsync(long run, RunMessage message, CancellationToken cancellationToken) => OpenFile.Writer.DoAsync(
        session => Inbox.Receive(session, run, message, _server.MaxPendingMessageBytes), isFlushed: true, cancellationToken);

    public Task<SenderState> GetSenderAsync(long run, string sender, long firstOpen, CancellationToken cancellationToken) =>
        OpenFile.Writer.DoAsync(session => Inbox.GetSender(session, run, sender, firstOpen), isFlushed: false, cancellationToken);

    public Task<IReadOnlyList<RunMessage>> ReadMessagesAsync(long run, long after, CancellationToken cancellationToken) =>
        OpenFile.Writer.DoAsync(session => Inbox.Read(session, run, after), isFlushed: false, cancellationToken);

    private void CloseFile()
    {
        _file?.Dispose();
        foreach (var run in _open.Values)
        {
            run.WakeAll();      // otherwise readers that wait would wait for ever
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        var writer = OpenFile.Writer;
        await writer.DoAsync(session => Starts.Sweep(session, _server.Starts, _time.Now()), isFlushed: false, cancellationToken);
        var (total, hasMore) = (0, true);
        while (hasMore)
        {
            (var forgotten, hasMore) = await writer.DoAsync(
                session => Retention.ForgetSome(session, _time.Now()), isFlushed: false, cancellationToken);
            total += forgotten;
        }

        if (total > 0)
        {
            Log.Forgotten(_logger, total);
        }
    }
}
