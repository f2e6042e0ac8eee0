using Polly;
using Polly.CircuitBreaker;

namespace Perennial.Engine;

/// <summary>
/// The circuit breaker of one origin. It opens when attempts repeatedly get no connection or no response, and no connection to the origin
/// is open. While it is open, no transport connects. After the break, one transport probes. After a response of any kind, the waiting
/// transports connect. After a failed probe they continue to wait, and their attempts are not counted. A path that hangs does not block the
/// others: during each break and each probe, one transport of another path may connect. An attempt waits at most for the longest break and
/// one probe, and its wait can be cancelled at once.
/// </summary>
internal sealed partial class OriginBreaker : IDisposable
{
    /// <summary>
    /// The shortest wait. Two clocks measure the break and may differ; without this the caller would retry in a tight loop.
    /// </summary>
    private static readonly TimeSpan LeastWait = TimeSpan.FromMilliseconds(50);

    private static readonly ResiliencePropertyKey<bool> IsProbe = new("perennial.probe");
    private static readonly ResiliencePropertyKey<string> Path = new("perennial.path");
    private static readonly ResiliencePropertyKey<bool> WasLeft = new("perennial.left");

    private readonly Lock _gate = new();
    private readonly Uri _origin;
    private readonly CircuitBreakerOptions _options;
    private readonly TimeProvider _time;
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly CircuitBreakerManualControl _control = new();
    private readonly ResiliencePipeline<Attempt> _pipeline;
    private TaskCompletionSource _change = NewChange();     // completes when the breaker opens, probes or closes next
    private TransportException? _lastFailure;               // of the attempt that opened it, or of the last probe
    private long _openSince;
    private TimeSpan _break;
    private string? _suspect;                               // the path of the attempt that opened it, or of the probe
    private bool _hasPass;                                  // one transport of another path may connect meanwhile
    private int _standing;                                  // connections that were opened here and are still open
    private bool _isCounted;                                // counted in the gauge of broken origins; written by CountLocked
    private bool _isDisposed;

    public OriginBreaker(Uri origin, CircuitBreakerOptions options, TimeProvider time)
    {
        _origin = origin;
        _options = options;
        _time = time;
        _pipeline = new ResiliencePipelineBuilder<Attempt> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<Attempt>
            {
                FailureRatio = 0.5,
                MinimumThroughput = options.Failures,
                SamplingDuration = options.SamplingTime,
                StateProvider = _state,
                ManualControl = _control,
                ShouldHandle = arguments => new ValueTask<bool>(IsFailure(arguments.Context, arguments.Outcome)),
                BreakDurationGenerator = arguments => new ValueTask<TimeSpan>(BreakFor(arguments)),
                OnHalfOpened = OnHalfOpened,
                OnOpened = OnOpened,
                OnClosed = OnClosed,
            })
            .Build();
    }

    public BreakerState State => _state.CircuitState switch
    {
        CircuitState.Closed => BreakerState.Closed,
        CircuitState.HalfOpen => BreakerState.Probing,
        _ => BreakerState.Open,
    };

    /// <summary>Whether the breaker can be removed without losing information.</summary>
    public bool CanBeRemoved => State == BreakerState.Closed && Volatile.Read(ref _standing) == 0;

    /// <summary>
    /// Opens a connection as soon as the breaker allows it. The caller must call <see cref="Left"/> after each connection.
    /// </summary>
    /// <param name="path">The path of the URL.</param>
    /// <param name="open">Opens the connection, in one attempt.</param>
    /// <param name="limit">How long a probe may take, in addition to <see cref="CircuitBreakerOptions.MaxBreakTime"/>.</param>
    /// <param name="cancellationToken">Cancels the wait and the attempt.</param>
    /// <exception cref="TransportException">The attempt failed, or the breaker was open for too long.</exception>
    public async Task<TransportConnection> OpenAsync(
        string path, Func<Task<TransportConnection>> open, TimeSpan limit, CancellationToken cancellationToken)
    {
        var since = _time.GetTimestamp();
        while (true)
        {
            Task change;
            lock (_gate)
            {
                change = _change.Task;      // taken before the attempt, so that no change is missed
            }

            var attempt = await TryAsync(path, open).ConfigureAwait(false);
            if (attempt is null && TryTakePass(path))
            {
                attempt = await AttemptAsync(open).ConfigureAwait(false);
            }

            if (attempt is { } made)
            {
                await CloseAfterAnswerAsync(made).ConfigureAwait(false);
                return made.Connection ?? throw made.Error!;
            }

            var rest = _options.MaxBreakTime + limit - _time.GetElapsedTime(since);
            if (rest <= TimeSpan.Zero)
            {
                throw Unreachable();
            }

            var wait = RestOfBreak() is { } restOfBreak && restOfBreak < rest ? restOfBreak : rest;
            await change.WaitAsync(wait, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Records that a connection that was opened here was closed.</summary>
    public void Left() => Interlocked.Decrement(ref _standing);

    /// <summary>Removes the breaker from the gauge of broken origins. It continues to work.</summary>
    public void Dispose()
    {
        int counted;
        lock (_gate)
        {
            counted = CountLocked(isBroken: false);
            _isDisposed = true;
        }

        Record(counted);
    }

    /// <summary>Makes an attempt. Returns <see langword="null"/> if the breaker allows none now.</summary>
    private async Task<Attempt?> TryAsync(string path, Func<Task<TransportConnection>> open)
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, CancellationToken.None);
        context.Properties.Set(Path, path);
        try
        {
            var outcome = await _pipeline.ExecuteOutcomeAsync(
                static async (_, open) =>
                {
                    try
                    {
                        return Outcome.FromResult(await AttemptAsync(open).ConfigureAwait(false));
                    }
                    catch (Exception e)
                    {
                        return Outcome.FromException<Attempt>(e);
                    }
                },
                context,
                open).ConfigureAwait(false);
            if (outcome.Exception is BrokenCircuitException)
            {
                return null;
            }

            outcome.ThrowIfException();
            return outcome.Result;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static async Task<Attempt> AttemptAsync(Func<Task<TransportConnection>> open)
    {
        try
        {
            return new Attempt(await open().ConfigureAwait(false), Error: null);
        }
        catch (TransportException e)
        {
            return new Attempt(Connection: null, e);
        }
    }

    /// <summary>
    /// Whether a transport of this path may connect although the breaker is open: once per break and once per probe, and not for the path
    /// that failed. Failures of one path, such as requests that are never answered, say little about other paths.
    /// </summary>
    private bool TryTakePass(string path)
    {
        lock (_gate)
        {
            if (!_hasPass || State == BreakerState.Closed || string.Equals(path, _suspect, StringComparison.Ordinal))
            {
                return false;
            }

            _hasPass = false;
            return true;
        }
    }

    /// <summary>
    /// Closes the breaker after a response to an attempt that began before it opened, or that ran beside a probe: the response proves that
    /// the origin works.
    /// </summary>
    private async ValueTask CloseAfterAnswerAsync(Attempt attempt)
    {
        if (attempt.Connection is not null)
        {
            Interlocked.Increment(ref _standing);
        }

        if (!MeansHostIsDown(attempt.Error) && State != BreakerState.Closed)
        {
            await _control.CloseAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private TimeSpan? RestOfBreak()
    {
        lock (_gate)
        {
            if (State != BreakerState.Open)
            {
                return null;
            }

            var rest = _break - _time.GetElapsedTime(_openSince);
            return rest > LeastWait ? rest : LeastWait;
        }
    }

    /// <summary>Whether the error means that there was no connection or no response. An error status is a response.</summary>
    private static bool MeansHostIsDown(TransportException? error) =>
        error is
        {
            IsTransient: true,
            HttpStatus: null,
            IsAboutOrigin: true,
            Code: TransportErrorCode.ConnectFailed or TransportErrorCode.ConnectTimeout or TransportErrorCode.ConnectionLost,
        };

    private static bool WasProbe(ResilienceContext context) => context.Properties.GetValue(IsProbe, false);

    private TransportException Unreachable()
    {
        TransportException? cause;
        lock (_gate)
        {
            cause = _lastFailure;
        }

        return new TransportException(
            TransportErrorCode.CircuitOpen,
            $"{_origin.Host}:{_origin.Port} failed repeatedly, and no probe has succeeded since.",
            isTransient: true,
            cause)
        {
            Delivery = DeliveryStatus.NotSent,
        };
    }

    private KeyValuePair<string, object?>[] Tags() => [new("server.address", _origin.Host), new("server.port", _origin.Port)];

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly record struct Attempt(TransportConnection? Connection, TransportException? Error);
}
