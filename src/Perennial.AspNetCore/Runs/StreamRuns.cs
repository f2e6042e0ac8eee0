using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>Starts and finds runs. One per host, from dependency injection. Safe from any thread.</summary>
/// <remarks>
/// A run is recorded in the host's <see cref="RunStore"/>. It can be found until its <see cref="RunOptions.Retention"/>, or else
/// <see cref="PerennialServerOptions.FinishedRunRetention"/>, has passed after its end.
/// </remarks>
public sealed class StreamRuns
{
    private const int MaxPage = 1000;

    private readonly RunStore _store;
    private readonly RunRecorder _recorder;
    private readonly ProducedRuns _produced;
    private readonly PerennialServerOptions _options;

    /// <summary>Called by dependency injection.</summary>
    /// <param name="store">The store of runs.</param>
    /// <param name="options">The limits.</param>
    /// <param name="time">The clock for waits.</param>
    /// <param name="lifetime">The host. Producers are cancelled when it begins to stop.</param>
    /// <param name="logger">Gets starts, ends and failures, but no ids and no data.</param>
    public StreamRuns(
        RunStore store,
        IOptions<PerennialServerOptions> options,
        TimeProvider time,
        IHostApplicationLifetime lifetime,
        ILogger<StreamRuns> logger)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(lifetime);
        ArgumentNullException.ThrowIfNull(logger);
        _store = store;
        _recorder = new RunRecorder(store, logger);
        _options = options.Value;
        _produced = new ProducedRuns(_options, time, logger, lifetime.ApplicationStopping);
    }

    /// <summary>Starts a run whose events are written by a delegate, as the answer of an endpoint.</summary>
    /// <param name="produce">
    /// Writes the events. The run ends when the delegate returns. Its token is cancelled by a stop and by the host's shutdown, never
    /// because a reader left. It is called on a thread of the pool after the run is recorded. It outlives the request that starts it, so it
    /// must not use that request's scoped services, context or abort token.
    /// </param>
    /// <param name="runOptions">Options for this run; null for the defaults.</param>
    /// <returns>
    /// The run as a result: return it from the endpoint. It has no id before it is recorded. To wait for the id, use
    /// <see cref="StartAsync(Func{RunWriter, CancellationToken, Task}, RunOptions?)"/>.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range, which the message names.</exception>
    /// <exception cref="ArgumentException">
    /// The server does not know <see cref="RunOptions.Dialect"/>, or refuses the owner, the key or the metadata.
    /// </exception>
    /// <exception cref="TooManyRunsException">
    /// <see cref="PerennialServerOptions.MaxRuns"/> runs are being produced, or the host stops.
    /// </exception>
    public StartingRun Start(Func<RunWriter, CancellationToken, Task> produce, RunOptions? runOptions = null)
    {
        ArgumentNullException.ThrowIfNull(produce);
        Validate(runOptions);
        _produced.ReservePlace();
        return new StartingRun(RecordAsync(produce, runOptions));
    }

    /// <summary>Starts a run whose events are written by a delegate, and waits until it is recorded.</summary>
    /// <param name="produce">Writes the events, as in <see cref="Start(Func{RunWriter, CancellationToken, Task}, RunOptions?)"/>.</param>
    /// <param name="runOptions">Options for this run; null for the defaults.</param>
    /// <returns>The run. Every node that shares the store finds it by its <see cref="StreamRun.Id"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range, which the message names.</exception>
    /// <exception cref="ArgumentException">
    /// The server does not know <see cref="RunOptions.Dialect"/>, or refuses the owner, the key or the metadata.
    /// </exception>
    /// <exception cref="TooManyRunsException">
    /// <see cref="PerennialServerOptions.MaxRuns"/> runs are being produced, or the host stops.
    /// </exception>
    /// <exception cref="RunStoreException">The store did not record the run, and the producer was not started.</exception>
    public async Task<StartedRun> StartAsync(Func<RunWriter, CancellationToken, Task> produce, RunOptions? runOptions = null)
    {
        ArgumentNullException.ThrowIfNull(produce);
        Validate(runOptions);
        _produced.ReservePlace();
        return await RecordAsync(produce, runOptions).ConfigureAwait(false);
    }

    /// <summary>Starts a run with one event per text of a sequence, such as the tokens of a model, as the answer of an endpoint.</summary>
    /// <param name="source">The texts. The run ends with the sequence. Enumerated once, with a token that a stop cancels.</param>
    /// <param name="runOptions">Options for this run; null for the defaults.</param>
    /// <returns>The run as a result: return it from the endpoint.</returns>
    /// <remarks>Recorded and thrown as by <see cref="Start{T}(IAsyncEnumerable{T}, JsonTypeInfo{T}, RunOptions?)"/>.</remarks>
    public StartingRun Start(IAsyncEnumerable<string> source, RunOptions? runOptions = null) =>
        Start(SequenceProducer.Of(source), runOptions);

    /// <summary>Starts a run with one event per text of a sequence, and waits until it is recorded.</summary>
    /// <param name="source">As in <see cref="Start(IAsyncEnumerable{string}, RunOptions?)"/>.</param>
    /// <param name="runOptions">Options for this run; null for the defaults.</param>
    /// <returns>The run. Every node that shares the store finds it by its <see cref="StreamRun.Id"/>.</returns>
    /// <remarks>Throws as <see cref="StartAsync(Func{RunWriter, CancellationToken, Task}, RunOptions?)"/>.</remarks>
    public Task<StartedRun> StartAsync(IAsyncEnumerable<string> source, RunOptions? runOptions = null) =>
        StartAsync(SequenceProducer.Of(source), runOptions);

    /// <summary>
    /// Starts a run with one JSON event per item of a sequence, with the platform's web defaults (camel case), as the answer of an
    /// endpoint.
    /// </summary>
    /// <typeparam name="T">The type of the items.</typeparam>
    /// <param name="source">The items. The run ends with the sequence. Enumerated once, with a token that a stop cancels.</param>
    /// <param name="runOptions">Options for this run; null for the defaults.</param>
    /// <returns>The run as a result: return it from the endpoint.</returns>
    /// <remarks>Recorded and thrown as by <see cref="Start{T}(IAsyncEnumerable{T}, JsonTypeInfo{T}, RunOptions?)"/>.</remarks>
    [RequiresUnreferencedCode(RunWriter.NeedsReflection)]
    [RequiresDynamicCode(RunWriter.NeedsReflection)]
    public StartingRun Start<T>(IAsyncEnumerable<T> source, RunOptions? runOptions = null) =>
        Start(SequenceProducer.Of(source), runOptions);

    /// <summary>Starts a run with one JSON event per item of a sequence, and waits until it is recorded.</summary>
    /// <typeparam name="T">The type of the items.</typeparam>
    /// <param name="source">As in <see cref="Start{T}(IAsyncEnumerable{T}, RunOptions?)"/>.</param>
    /// <param name="runOptions">Options for this run; null for the defaults.</param>
    /// <returns>The run. Every node that shares the store finds it by its <see cref="StreamRun.Id"/>.</returns>
    /// <remarks>Throws as <see cref="StartAsync(Func{RunWriter, CancellationToken, Task}, RunOptions?)"/>.</remarks>
    [RequiresUnreferencedCode(RunWriter.NeedsReflection)]
    [RequiresDynamicCode(RunWriter.NeedsReflection)]
    public Task<StartedRun> StartAsync<T>(IAsyncEnumerable<T> source, RunOptions? runOptions = null) =>
        StartAsync(SequenceProducer.Of(source), runOptions);

    /// <summary>Starts a run with one JSON event per item of a sequence, as the answer of an endpoint.</summary>
    /// <typeparam name="T">The type of the items.</typeparam>
    /// <param name="source">The items. The run ends with the sequence. Enumerated once, with a token that a stop cancels.</param>
    /// <param name="typeInfo">How to serialize an item, without reflection.</param>
    /// <param name="runOptions">Options for this run; null for the defaults.</param>
    /// <returns>The run as a result: return it from the endpoint.</returns>
    /// <remarks>
    /// The next item is read while earlier ones are being recorded, up to 256 of them or 256 KiB. Items are recorded in order, and all of
    /// them before the end of the run.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range, which the message names.</exception>
    /// <exception cref="ArgumentException">
    /// The server does not know <see cref="RunOptions.Dialect"/>, or refuses the owner, the key or the metadata.
    /// </exception>
    /// <exception cref="TooManyRunsException">
    /// <see cref="PerennialServerOptions.MaxRuns"/> runs are being produced, or the host stops.
    /// </exception>
    public StartingRun Start<T>(IAsyncEnumerable<T> source, JsonTypeInfo<T> typeInfo, RunOptions? runOptions = null) =>
        Start(SequenceProducer.Of(source, typeInfo), runOptions);

    /// <summary>Starts a run with one JSON event per item of a sequence, and waits until it is recorded.</summary>
    /// <typeparam name="T">The type of the items.</typeparam>
    /// <param name="source">As in <see cref="Start{T}(IAsyncEnumerable{T}, JsonTypeInfo{T}, RunOptions?)"/>.</param>
    /// <param name="typeInfo">How to serialize an item, without reflection.</param>
    /// <param name="runOptions">Options for this run; null for the defaults.</param>
    /// <returns>The run. Every node that shares the store finds it by its <see cref="StreamRun.Id"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range, which the message names.</exception>
    /// <exception cref="ArgumentException">
    /// The server does not know <see cref="RunOptions.Dialect"/>, or refuses the owner, the key or the metadata.
    /// </exception>
    /// <exception cref="TooManyRunsException">
    /// <see cref="PerennialServerOptions.MaxRuns"/> runs are being produced, or the host stops.
    /// </exception>
    /// <exception cref="RunStoreException">The store did not record the run, and the producer was not started.</exception>
    public Task<StartedRun> StartAsync<T>(IAsyncEnumerable<T> source, JsonTypeInfo<T> typeInfo, RunOptions? runOptions = null) =>
        StartAsync(SequenceProducer.Of(source, typeInfo), runOptions);

    /// <summary>Finds a run that any node produces.</summary>
    /// <param name="id">The id, as in <see cref="StreamRun.Id"/>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The run; null if the id is unknown or the run's retention has passed.</returns>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public async ValueTask<StreamRun?> FindAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (_produced.Find(id) is { } started)
        {
            return started;
        }

        return await _store.FindAsync(id, cancellationToken).ConfigureAwait(false) is { } log ? new StreamRun(log) : null;
    }

    /// <summary>Finds the runs of an owner that can still be read, whether they go on or have ended, newest first.</summary>
    /// <param name="owner">The owner, as in <see cref="RunOptions.Owner"/>.</param>
    /// <param name="count">The most runs of the page, 1 to 1000.</param>
    /// <param name="before">The <see cref="RunPage.Next"/> of the page before; null for the newest runs.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is outside its range.</exception>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public async ValueTask<RunPage> FindByOwnerAsync(
        string owner, int count = 50, long? before = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(owner);
        PerennialServerOptions.Require(count, 1, MaxPage, nameof(count));
        var page = await _store.FindByOwnerAsync(owner, count, before, cancellationToken).ConfigureAwait(false);
        return new RunPage { Runs = [.. page.Runs.Select(static log => new StreamRun(log))], Next = page.Next };
    }

    /// <summary>Finds the run with a key that goes on, such as the answer that is being written in a chat.</summary>
    /// <param name="key">The key, as in <see cref="RunOptions.Key"/>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The newest such run; null if there is none.</returns>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public async ValueTask<StreamRun?> FindByKeyAsync(string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        return await _store.FindByKeyAsync(key, cancellationToken).ConfigureAwait(false) is { } log ? new StreamRun(log) : null;
    }

    /// <summary>Gets the runs that this process produces.</summary>
    internal IEnumerable<StartedRun> Started => _produced.All;

    /// <summary>Gets the places of these runs.</summary>
    internal ProducedRuns Produced => _produced;

    /// <summary>Gets the resumptions that a run may name.</summary>
    internal Resumptions Resumptions { get; init; } = new();

    /// <summary>Returns the watch to notify about readers of a run on this node; null if the run has none.</summary>
    internal UnreadWatch? WatchOf(string id) => _produced.Find(id)?.Unread;

    private void Validate(RunOptions? runOptions)
    {
        runOptions?.Validate(_options);
        Resumptions.Require(runOptions?.ResumeWith);
    }

    private async Task<StartedRun> RecordAsync(Func<RunWriter, CancellationToken, Task> produce, RunOptions? options)
    {
        RunLog log;
        try
        {
            log = await _recorder.RecordAsync(options).ConfigureAwait(false);
        }
        catch
        {
            _produced.FreePlace();
            throw;
        }

        return _produced.Launch(log, produce, options);
    }
}
