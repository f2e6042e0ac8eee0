using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>Starts runs and finds them again. One per host, from dependency injection; safe from any thread.</summary>
/// <remarks>
/// A run is recorded in the host's <see cref="RunStore"/> and can be found until <see cref="RunOptions.Retention"/>, or else
/// <see cref="PerennialServerOptions.FinishedRunRetention"/>, after its end.
/// </remarks>
public sealed class StreamRuns
{
    private const int RunIdBytes = 16;
    private const int EpochLength = 8;
    private const string EpochAlphabet = "abcdefghijklmnopqrstuvwxyz234567";

    private readonly ConcurrentDictionary<string, StartedRun> _started = new(StringComparer.Ordinal);     // until their producers return
    private readonly RunStore _store;
    private readonly PerennialServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<StreamRuns> _logger;
    private readonly CancellationToken _hostStopping;
    private int _places;    // taken in _started, each before its run exists

    /// <summary>Called by dependency injection.</summary>
    /// <param name="store">Where runs are recorded.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">The clock for waits.</param>
    /// <param name="lifetime">Producers are cancelled when the host begins to stop.</param>
    /// <param name="logger">Told about starts, ends and failures; never about ids or data.</param>
    public StreamRuns(
        RunStore store, IOptions<PerennialServerOptions> options, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<StreamRuns> logger)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(lifetime);
        ArgumentNullException.ThrowIfNull(logger);
        _store = store;
        _options = options.Value;
        _time = time;
        _logger = logger;
        _hostStopping = lifetime.ApplicationStopping;
    }

    /// <summary>Starts a run whose events are written by a delegate, as the answer of an endpoint.</summary>
    /// <param name="produce">
    /// Writes the events; its return is the end. Its token is cancelled by a stop and by the host's shutdown, never because a reader left.
    /// It begins after the run is recorded, on a thread of its own choosing. It outlives the request that starts it, so it must not use that
    /// request's scoped services, context or abort token.
    /// </param>
    /// <param name="runOptions">What else this run does; null for nothing.</param>
    /// <returns>The run as a result: return it from the endpoint. It has no id before it is recorded; <see cref="StartAsync(Func{RunWriter, CancellationToken, Task}, RunOptions?)"/> waits for that.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range; the message names the member and the range.</exception>
    /// <exception cref="TooManyRunsException"><see cref="PerennialServerOptions.MaxRuns"/> runs are being produced, or the host is stopping.</exception>
    public StartingRun Start(Func<RunWriter, CancellationToken, Task> produce, RunOptions? runOptions = null)
    {
        ArgumentNullException.ThrowIfNull(produce);
        runOptions?.Validate();
        ReservePlace();
        return new StartingRun(RecordAsync(produce, runOptions));
    }

    /// <summary>Starts a run whose events are written by a delegate, and waits until it is recorded.</summary>
    /// <param name="produce">As in <see cref="Start(Func{RunWriter, CancellationToken, Task}, RunOptions?)"/>.</param>
    /// <param name="runOptions">What else this run does; null for nothing.</param>
    /// <returns>The run. Every node that shares the store finds it by its <see cref="StreamRun.Id"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range; the message names the member and the range.</exception>
    /// <exception cref="TooManyRunsException"><see cref="PerennialServerOptions.MaxRuns"/> runs are being produced, or the host is stopping.</exception>
    /// <exception cref="RunStoreException">The store did not take the run, and nothing was started.</exception>
    public async Task<StartedRun> StartAsync(Func<RunWriter, CancellationToken, Task> produce, RunOptions? runOptions = null)
    {
        ArgumentNullException.ThrowIfNull(produce);
        runOptions?.Validate();
        ReservePlace();
        return await RecordAsync(produce, runOptions).ConfigureAwait(false);
    }

    /// <summary>Starts a run with one event per text of a sequence, such as the tokens of a model, as the answer of an endpoint.</summary>
    /// <param name="source">The texts; its end is the end of the run. Enumerated once, with a token that a stop cancels.</param>
    /// <param name="runOptions">What else this run does; null for nothing.</param>
    /// <returns>The run as a result: return it from the endpoint.</returns>
    /// <remarks>Recorded and thrown as by <see cref="Start{T}(IAsyncEnumerable{T}, JsonTypeInfo{T}, RunOptions?)"/>.</remarks>
    public StartingRun Start(IAsyncEnumerable<string> source, RunOptions? runOptions = null) => Start(SequenceProducer.Of(source), runOptions);

    /// <summary>Starts a run with one event per text of a sequence, and waits until it is recorded.</summary>
    /// <param name="source">As in <see cref="Start(IAsyncEnumerable{string}, RunOptions?)"/>.</param>
    /// <param name="runOptions">What else this run does; null for nothing.</param>
    /// <returns>The run. Every node that shares the store finds it by its <see cref="StreamRun.Id"/>.</returns>
    /// <remarks>Throws as <see cref="StartAsync(Func{RunWriter, CancellationToken, Task}, RunOptions?)"/>.</remarks>
    public Task<StartedRun> StartAsync(IAsyncEnumerable<string> source, RunOptions? runOptions = null) => StartAsync(SequenceProducer.Of(source), runOptions);

    /// <summary>Starts a run with one JSON event per item of a sequence, in the platform's form for the web (camel case), as the answer of an endpoint.</summary>
    /// <typeparam name="T">The type of the items.</typeparam>
    /// <param name="source">The items; its end is the end of the run. Enumerated once, with a token that a stop cancels.</param>
    /// <param name="runOptions">What else this run does; null for nothing.</param>
    /// <returns>The run as a result: return it from the endpoint.</returns>
    /// <remarks>Recorded and thrown as by <see cref="Start{T}(IAsyncEnumerable{T}, JsonTypeInfo{T}, RunOptions?)"/>.</remarks>
    [RequiresUnreferencedCode(RunWriter.NeedsReflection)]
    [RequiresDynamicCode(RunWriter.NeedsReflection)]
    public StartingRun Start<T>(IAsyncEnumerable<T> source, RunOptions? runOptions = null) => Start(SequenceProducer.Of(source), runOptions);

    /// <summary>Starts a run with one JSON event per item of a sequence, and waits until it is recorded.</summary>
    /// <typeparam name="T">The type of the items.</typeparam>
    /// <param name="source">As in <see cref="Start{T}(IAsyncEnumerable{T}, RunOptions?)"/>.</param>
    /// <param name="runOptions">What else this run does; null for nothing.</param>
    /// <returns>The run. Every node that shares the store finds it by its <see cref="StreamRun.Id"/>.</returns>
    /// <remarks>Throws as <see cref="StartAsync(Func{RunWriter, CancellationToken, Task}, RunOptions?)"/>.</remarks>
    [RequiresUnreferencedCode(RunWriter.NeedsReflection)]
    [RequiresDynamicCode(RunWriter.NeedsReflection)]
    public Task<StartedRun> StartAsync<T>(IAsyncEnumerable<T> source, RunOptions? runOptions = null) => StartAsync(SequenceProducer.Of(source), runOptions);

    /// <summary>Starts a run with one JSON event per item of a sequence, as the answer of an endpoint.</summary>
    /// <typeparam name="T">The type of the items.</typeparam>
    /// <param name="source">The items; its end is the end of the run. Enumerated once, with a token that a stop cancels.</param>
    /// <param name="typeInfo">How to serialise an item, without reflection.</param>
    /// <param name="runOptions">What else this run does; null for nothing.</param>
    /// <returns>The run as a result: return it from the endpoint.</returns>
    /// <remarks>
    /// The next item is asked for while those before it are being recorded: up to 256 of them or 256 KiB. They are recorded in order, and all of them before
    /// the end of the run.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range; the message names the member and the range.</exception>
    /// <exception cref="TooManyRunsException"><see cref="PerennialServerOptions.MaxRuns"/> runs are being produced, or the host is stopping.</exception>
    public StartingRun Start<T>(IAsyncEnumerable<T> source, JsonTypeInfo<T> typeInfo, RunOptions? runOptions = null) =>
        Start(SequenceProducer.Of(source, typeInfo), runOptions);

    /// <summary>Starts a run with one JSON event per item of a sequence, and waits until it is recorded.</summary>
    /// <typeparam name="T">The type of the items.</typeparam>
    /// <param name="source">As in <see cref="Start{T}(IAsyncEnumerable{T}, JsonTypeInfo{T}, RunOptions?)"/>.</param>
    /// <param name="typeInfo">How to serialise an item, without reflection.</param>
    /// <param name="runOptions">What else this run does; null for nothing.</param>
    /// <returns>The run. Every node that shares the store finds it by its <see cref="StreamRun.Id"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range; the message names the member and the range.</exception>
    /// <exception cref="TooManyRunsException"><see cref="PerennialServerOptions.MaxRuns"/> runs are being produced, or the host is stopping.</exception>
    /// <exception cref="RunStoreException">The store did not take the run, and nothing was started.</exception>
    public Task<StartedRun> StartAsync<T>(IAsyncEnumerable<T> source, JsonTypeInfo<T> typeInfo, RunOptions? runOptions = null) =>
        StartAsync(SequenceProducer.Of(source, typeInfo), runOptions);

    /// <summary>Finds a run, whichever node produces it.</summary>
    /// <param name="id">The id, as in <see cref="StreamRun.Id"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The run; null for ids never given out and for runs whose retention is over.</returns>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public async ValueTask<StreamRun?> FindAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (_started.TryGetValue(id, out var started))
        {
            return started;
        }

        return await _store.FindAsync(id, cancellationToken).ConfigureAwait(false) is { } log ? new StreamRun(log) : null;
    }

    /// <summary>The runs that this process produces.</summary>
    internal IEnumerable<StartedRun> Started => _started.Values;

    /// <summary>Who is to be told whether a run has readers here; null for nobody.</summary>
    internal UnreadWatch? WatchOf(string id) => _started.TryGetValue(id, out var run) ? run.Unread : null;

    private async Task StopUnreadAsync(StartedRun run)
    {
        try
        {
            await run.StopAsync(CancellationToken.None).ConfigureAwait(false);
            Log.StoppedUnread(_logger, run.Epoch);
        }
        catch (RunStoreException e)
        {
            Log.StoreThrew(_logger, run.Epoch, e);
        }
    }

    private async Task<StartedRun> RecordAsync(Func<RunWriter, CancellationToken, Task> produce, RunOptions? options)
    {
        var epoch = RandomNumberGenerator.GetString(EpochAlphabet, EpochLength);
        var start = StartUnderWay.Take();
        RunLog log;
        try
        {
            log = await _store.CreateAsync(NewRun(epoch, options, start?.Key), CancellationToken.None).ConfigureAwait(false);
            start?.Record();
        }
        catch (Exception e)
        {
            Interlocked.Decrement(ref _places);
            start?.GiveBack();
            Log.NotRecorded(_logger, epoch, e);
            throw;
        }

        var producer = new RunProducer(log, produce, options, _time, _logger);
        var run = new StartedRun(log, _time.GetUtcNow(), producer.RunAsync());
        if (options?.StopWhenUnread is { } limit)
        {
            run.Unread = new UnreadWatch(limit, () => _ = StopUnreadAsync(run), _time);
        }

        _started[run.Id] = run;
        PerennialServerTelemetry.ActiveRuns.Add(1);
        _ = ReleasePlaceAsync(run, producer);
        return run;
    }

    private static NewRun NewRun(string epoch, RunOptions? options, StartKey? start) =>
        new NewRun
        {
            Id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RunIdBytes)),
            Epoch = epoch,
            TakesMessages = options?.OnMessage is not null,
            Retention = options?.Retention,
            Start = start,
        };

    private void ReservePlace()
    {
        if (_hostStopping.IsCancellationRequested)
        {
            throw new TooManyRunsException("The host is stopping; it starts no more runs.");
        }

        if (Interlocked.Increment(ref _places) <= _options.MaxRuns)
        {
            return;
        }

        Interlocked.Decrement(ref _places);
        throw new TooManyRunsException(FormattableString.Invariant($"{_options.MaxRuns} runs are being produced, the most that MaxRuns allows."));
    }

    private async Task ReleasePlaceAsync(StartedRun run, RunProducer producer)
    {
        await using (_hostStopping.Register(() => _ = producer.CutOffAsync()))
        {
            await run.Completion;
        }

        PerennialServerTelemetry.ActiveRuns.Add(-1);
        PerennialServerTelemetry.EndedRuns.Add(1, new KeyValuePair<string, object?>(PerennialServerTelemetry.Status, (await run.Completion).Name()));
        Interlocked.Decrement(ref _places);
        _started.TryRemove(run.Id, out _);
        run.Unread?.Dispose();
    }
}
