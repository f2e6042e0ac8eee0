using Perennial.Diagnostics;
using Polly;
using Polly.CircuitBreaker;

namespace Perennial.Engine;

/// <content>The callbacks of the policy, and the changes when it opens, probes or closes.</content>
internal sealed partial class OriginBreaker
{
    private ValueTask OnHalfOpened(OnCircuitHalfOpenedArguments arguments)
    {
        arguments.Context.Properties.Set(IsProbe, true);
        TaskCompletionSource change;
        lock (_gate)
        {
            GivePassLocked(arguments.Context);
            (change, _change) = (_change, NewChange());
        }

        change.SetResult();
        return ValueTask.CompletedTask;
    }

    private void GivePassLocked(ResilienceContext context) => (_suspect, _hasPass) = (context.Properties.GetValue(Path, ""), true);

    private ValueTask OnOpened(OnCircuitOpenedArguments<Attempt> arguments)
    {
        TaskCompletionSource change;
        int counted;
        lock (_gate)
        {
            (_openSince, _break) = (_time.GetTimestamp(), arguments.BreakDuration);
            GivePassLocked(arguments.Context);
            if (arguments.Outcome.Exception is null && arguments.Outcome.Result.Error is { } error)
            {
                _lastFailure = error;
            }

            (change, _change) = (_change, NewChange());
            counted = CountLocked(isBroken: true);
        }

        Record(counted);
        change.SetResult();
        return ValueTask.CompletedTask;
    }

    private ValueTask OnClosed(OnCircuitClosedArguments<Attempt> arguments)
    {
        TaskCompletionSource change;
        int counted;
        lock (_gate)
        {
            (change, _change) = (_change, NewChange());
            counted = CountLocked(isBroken: false);
        }

        Record(counted);
        change.SetResult();
        return ValueTask.CompletedTask;
    }

    /// <summary>The change of the gauge of broken origins.</summary>
    private int CountLocked(bool isBroken)
    {
        if (_isDisposed || _isCounted == isBroken)
        {
            return 0;
        }

        _isCounted = isBroken;
        return isBroken ? 1 : -1;
    }

    /// <summary>Records the change. Called outside the lock, because it calls listeners of the application.</summary>
    private void Record(int change)
    {
        if (change != 0)
        {
            PerennialTelemetry.BrokenOrigins.TryRecord(change, Tags());
        }
    }

    /// <summary>
    /// The delay before the next probe. It doubles with each failed probe. If a probe was cancelled, the next may follow at once; otherwise
    /// the breaker would wait for its result forever.
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
    /// Whether an outcome counts as a failure. A cancelled attempt does not. While another connection to the origin is open, the origin
    /// works, whatever happens on one path.
    /// </summary>
    private bool IsFailure(ResilienceContext context, Outcome<Attempt> outcome)
    {
        var wasLeft = outcome.Exception is not null;
        context.Properties.Set(WasLeft, wasLeft);
        return wasLeft ? WasProbe(context) : MeansHostIsDown(outcome.Result.Error) && Volatile.Read(ref _standing) == 0;
    }
}
