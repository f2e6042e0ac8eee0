using Perennial.Diagnostics;
using Polly;
using Polly.CircuitBreaker;

namespace Perennial.Management;

/// <summary>
/// The circuit breaker of one origin. While it is open nobody connects; when the wait is over one transport probes, and what it finds
/// holds for all who wait: after a success they connect, after a failure theirs is one failed try. Every wait is so bounded by one
/// break and one probe, and cancelled at once.
/// </summary>
internal sealed class OriginBreaker
{
    /// <summary>The break is measured by two clocks, which may differ: asking again is not to become a hot loop.</summary>
    private static readonly TimeSpan LeastWait = TimeSpan.FromMilliseconds(50);

    private static readonly ResiliencePropertyKey<bool> IsProbe = new("perennial.probe");
    private static readonly ResiliencePropertyKey<bool> WasLeft = new("perennial.left");

    private readonly Lock _gate = new();
    private readonly Uri _origin;
    private readonly CircuitBreakerOptions _options;
    private readonly TimeProvider _time;
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly ResiliencePipeline<Attempt> _pipeline;
    private TaskCompletionSource<TransportException?> _verdict = NewVerdict();      // of the next probe, or the present one
    private long _openSince;
    private TimeSpan _break;

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
                ShouldHandle = static arguments => new ValueTask<bool>(IsFailure(arguments.Context, arguments.Outcome)),
                BreakDurationGenerator = arguments => new ValueTask<TimeSpan>(BreakFor(arguments)),
                OnHalfOpened = static arguments =>
                {
                    arguments.Context.Properties.Set(IsProbe, true);
                    return ValueTask.CompletedTask;
                },
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

    /// <summary>Opens a connection, once that is allowed.</summary>
    /// <param name="open">Opens it, in one try.</param>
    /// <param name="limit">How long to wait for a probe that is under way.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TransportException">The try failed, or the probe that this one waited for.</exception>
    public async Task<TransportConnection> OpenAsync(
        Func<Task<TransportConnection>> open, TimeSpan limit, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task<TransportException?> verdict;
            lock (_gate)
            {
                verdict = _verdict.Task;        // taken before the try, so that none is missed
            }

            if (await TryAsync(open).ConfigureAwait(false) is { } attempt)
            {
                return attempt.Connection ?? throw attempt.Error!;
            }

            await WaitAsync(verdict, limit, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The attempt that was made, or <see langword="null"/> where none is allowed now.</summary>
    private async Task<Attempt?> TryAsync(Func<Task<TransportConnection>> open)
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, CancellationToken.None);
        try
        {
            var outcome = await _pipeline.ExecuteOutcomeAsync(
                static async (_, open) =>
                {
                    try
                    {
                        return Outcome.FromResult(new Attempt(await open().ConfigureAwait(false), Error: null));
                    }
                    catch (TransportException e)
                    {
                        return Outcome.FromResult(new Attempt(Connection: null, e));
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

    /// <summary>Waits until the break is over or a probe has found something. The probe's failure is this one's.</summary>
    private async Task WaitAsync(Task<TransportException?> verdict, TimeSpan limit, CancellationToken cancellationToken)
    {
        var rest = RestOfBreak();
        TransportException? error;
        try
        {
            error = await verdict.WaitAsync(rest ?? limit, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException) when (rest is not null)
        {
            return;
        }
        catch (TimeoutException e)
        {
            throw Unreachable($"the probe takes longer than {limit}", e);
        }

        if (error is not null)
        {
            throw Unreachable("the probe failed", error);
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

    private ValueTask OnOpened(OnCircuitOpenedArguments<Attempt> arguments)
    {
        TaskCompletionSource<TransportException?> verdict;
        var isProbe = WasProbe(arguments.Context);
        lock (_gate)
        {
            (_openSince, _break) = (_time.GetTimestamp(), arguments.BreakDuration);
            (verdict, _verdict) = (_verdict, NewVerdict());
        }

        if (!isProbe)
        {
            PerennialTelemetry.BrokenOrigins.TryRecord(1, Tags());
        }

        verdict.SetResult(isProbe && arguments.Outcome.Exception is null ? arguments.Outcome.Result.Error : null);
        return ValueTask.CompletedTask;
    }

    private ValueTask OnClosed(OnCircuitClosedArguments<Attempt> arguments)
    {
        TaskCompletionSource<TransportException?> verdict;
        lock (_gate)
        {
            (verdict, _verdict) = (_verdict, NewVerdict());
        }

        PerennialTelemetry.BrokenOrigins.TryRecord(-1, Tags());
        verdict.SetResult(null);
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Doubles with each probe that failed. A probe that was cancelled found nothing: the next may follow at once. Left unhandled it
    /// would keep the breaker waiting for a verdict for ever.
    /// </summary>
    private TimeSpan BreakFor(BreakDurationGeneratorArguments arguments)
    {
        if (WasProbe(arguments.Context) && arguments.Context.Properties.GetValue(WasLeft, false))
        {
            return TimeSpan.Zero;
        }

        var grown = _options.BreakTime * Math.Pow(2, Math.Min(arguments.HalfOpenAttempts, 30));
        return grown < _options.MaxBreakTime ? grown : _options.MaxBreakTime;
    }

    /// <summary>
    /// What counts against the origin: that it cannot be reached, or says that it cannot serve. An attempt that was cancelled says
    /// nothing, and an answer that is final for this transport says that the origin is well.
    /// </summary>
    private static bool IsFailure(ResilienceContext context, Outcome<Attempt> outcome)
    {
        var wasLeft = outcome.Exception is not null;
        context.Properties.Set(WasLeft, wasLeft);
        return wasLeft ? WasProbe(context) : outcome.Result.Error is { IsTransient: true };
    }

    private static bool WasProbe(ResilienceContext context) => context.Properties.GetValue(IsProbe, false);

    private TransportException Unreachable(string why, Exception cause) =>
        new(TransportErrorCode.CircuitOpen, $"{_origin.Host}:{_origin.Port} failed repeatedly, and {why}.", isTransient: true, cause) { Delivery = DeliveryStatus.NotSent };

    private KeyValuePair<string, object?>[] Tags() => [new("server.address", _origin.Host), new("server.port", _origin.Port)];

    private static TaskCompletionSource<TransportException?> NewVerdict() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly record struct Attempt(TransportConnection? Connection, TransportException? Error);
}
