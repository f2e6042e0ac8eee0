using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Perennial.AspNetCore;

/// <summary>Starts runs and finds them again. One per host, from dependency injection; safe from any thread.</summary>
/// <remarks>A run is held in memory until <see cref="PerennialServerOptions.FinishedRunRetention"/> after its producer returned.</remarks>
public sealed class StreamRuns
{
    private const int RunIdBytes = 16;
    private const int EpochLength = 8;
    private const string EpochAlphabet = "abcdefghijklmnopqrstuvwxyz234567";

    private readonly ConcurrentDictionary<string, StreamRun> _runs = new(StringComparer.Ordinal);
    private readonly PerennialServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<StreamRuns> _logger;
    private readonly CancellationToken _hostStopping;
    private int _held;    // counts places taken in _runs, reserved before a run exists

    /// <summary>Called by dependency injection.</summary>
    /// <param name="options">Limits and retention.</param>
    /// <param name="time">The clock for retention.</param>
    /// <param name="lifetime">Producers are cancelled when the host begins to stop.</param>
    /// <param name="logger">Told about starts, ends and failures; never about ids or data.</param>
    public StreamRuns(
        IOptions<PerennialServerOptions> options, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<StreamRuns> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(lifetime);
        ArgumentNullException.ThrowIfNull(logger);
        _options = options.Value;
        _time = time;
        _logger = logger;
        _hostStopping = lifetime.ApplicationStopping;
    }

    /// <summary>Starts a run whose events are written by a delegate, on a thread of its own choosing.</summary>
    /// <param name="produce">
    /// Writes the events; its return is the end. Its token is cancelled by a stop and by the host's shutdown, never because a reader left.
    /// It outlives the request that starts it, so it must not use that request's scoped services, context or abort token.
    /// </param>
    /// <returns>The run, already going.</returns>
    /// <exception cref="TooManyRunsException"><see cref="PerennialServerOptions.MaxRuns"/> runs are held.</exception>
    public StreamRun Start(Func<RunWriter, CancellationToken, Task> produce)
    {
        ArgumentNullException.ThrowIfNull(produce);
        ReservePlace();
        var log = new RunLog(RandomNumberGenerator.GetString(EpochAlphabet, EpochLength), _options.MaxBytesPerRun);
        var run = new StreamRun(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RunIdBytes)), log, _logger, produce);
        _runs[run.Id] = run;
        _ = ForgetWhenDueAsync(run);
        return run;
    }

    /// <summary>Starts a run with one JSON event per item of a sequence.</summary>
    /// <typeparam name="T">The type of the items.</typeparam>
    /// <param name="source">The items; its end is the end of the run. Enumerated once, with a token that a stop cancels.</param>
    /// <param name="typeInfo">How to serialise an item, without reflection.</param>
    /// <returns>The run, already going.</returns>
    /// <exception cref="TooManyRunsException"><see cref="PerennialServerOptions.MaxRuns"/> runs are held.</exception>
    public StreamRun Start<T>(IAsyncEnumerable<T> source, JsonTypeInfo<T> typeInfo)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(typeInfo);
        return Start(async (writer, stop) =>
        {
            await foreach (var item in source.WithCancellation(stop))
                await writer.WriteJsonAsync(item, typeInfo, cancellationToken: stop);
        });
    }

    /// <summary>Finds a run that is held.</summary>
    /// <param name="id">The id, as in <see cref="StreamRun.Id"/>.</param>
    /// <param name="run">The run, when found.</param>
    /// <returns>Whether it was found; false for ids never given out and for runs whose retention is over.</returns>
    public bool TryGet(string id, [NotNullWhen(true)] out StreamRun? run) => _runs.TryGetValue(id, out run);

    private void ReservePlace()
    {
        if (Interlocked.Increment(ref _held) <= _options.MaxRuns)
            return;
        Interlocked.Decrement(ref _held);
        throw new TooManyRunsException(FormattableString.Invariant($"{_options.MaxRuns} runs are held, the most that MaxRuns allows."));
    }

    private async Task ForgetWhenDueAsync(StreamRun run)
    {
        await using (_hostStopping.Register(() => _ = run.CancelProducerAsync()))
            await run.Completion;
        await Task.Delay(_options.FinishedRunRetention, _time, _hostStopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Interlocked.Decrement(ref _held);
        _runs.TryRemove(run.Id, out _);
    }
}
