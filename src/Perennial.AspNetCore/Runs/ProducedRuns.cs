using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Runs;

/// <summary>The runs that this process produces, until their producers return. Safe from any thread.</summary>
internal sealed class ProducedRuns(PerennialServerOptions options, TimeProvider time, ILogger logger, CancellationToken hostStopping)
{
    private readonly ConcurrentDictionary<string, StartedRun> _started = new(StringComparer.Ordinal);
    private int _places;    // places in _started, each taken before its run exists

    public IEnumerable<StartedRun> All => _started.Values;

    /// <summary>How many further runs may be started.</summary>
    public int FreePlaces => Math.Max(0, options.MaxRuns - Volatile.Read(ref _places));

    public StartedRun? Find(string id) => _started.GetValueOrDefault(id);

    /// <summary>Takes a place for a new run.</summary>
    /// <exception cref="TooManyRunsException">There is none, or the host stops.</exception>
    public void ReservePlace()
    {
        if (hostStopping.IsCancellationRequested)
        {
            throw new TooManyRunsException("The host is stopping and starts no more runs.");
        }

        if (Interlocked.Increment(ref _places) <= options.MaxRuns)
        {
            return;
        }

        FreePlace();
        throw new TooManyRunsException(
            FormattableString.Invariant($"This process produces {options.MaxRuns} runs already, the limit set by MaxRuns."));
    }

    /// <summary>Takes a place for a run that exists already, even if there is none.</summary>
    public void TakePlace() => Interlocked.Increment(ref _places);

    /// <summary>Gives a place back whose run was not launched.</summary>
    public void FreePlace() => Interlocked.Decrement(ref _places);

    /// <summary>Calls the producer of a recorded run. Its place is free again when the producer has returned.</summary>
    public StartedRun Launch(RunLog log, Func<RunWriter, CancellationToken, Task> produce, RunOptions? runOptions)
    {
        var producer = new RunProducer(log, produce, runOptions, time, logger);
        var run = new StartedRun(log, time.GetUtcNow(), producer.RunAsync());
        if (runOptions?.StopWhenUnread is { } limit)
        {
            run.Unread = new UnreadWatch(limit, () => _ = StopUnreadAsync(run), time);
        }

        _started[run.Id] = run;
        PerennialServerTelemetry.ActiveRuns.Add(1);
        _ = ReleasePlaceAsync(run, producer);
        return run;
    }

    private async Task StopUnreadAsync(StartedRun run)
    {
        try
        {
            await run.StopAsync(CancellationToken.None).ConfigureAwait(false);
            Log.StoppedUnread(logger, run.Epoch);
        }
        catch (RunStoreException e)
        {
            Log.StoreThrew(logger, run.Epoch, e);
        }
    }

    private async Task ReleasePlaceAsync(StartedRun run, RunProducer producer)
    {
        await using (hostStopping.Register(() => _ = producer.CutOffAsync()))
        {
            await run.Completion.ConfigureAwait(false);
        }

        PerennialServerTelemetry.ActiveRuns.Add(-1);
        PerennialServerTelemetry.EndedRuns.Add(
            1,
            new KeyValuePair<string, object?>(PerennialServerTelemetry.Status, (await run.Completion.ConfigureAwait(false)).Name()));
        FreePlace();
        _started.TryRemove(new KeyValuePair<string, StartedRun>(run.Id, run));      // another one if this process took the run over again
        run.Unread?.Dispose();
    }
}
