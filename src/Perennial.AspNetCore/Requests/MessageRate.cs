using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Requests;

/// <summary>Limits how often each of many runs is sent to, by whichever way. Safe from any thread.</summary>
/// <remarks>
/// Each message moves the run's debt forward by its share of a second; a debt of more than a second is refused. The runs not sent to for longest
/// are forgotten, and with them a debt.
/// </remarks>
/// <param name="options">How many in a second, and at once.</param>
/// <param name="time">The clock.</param>
internal sealed class MessageRate(IOptions<PerennialServerOptions> options, TimeProvider time)
{
    private const int RememberedRuns = 10_000;

    private static readonly TimeSpan LargestDebt = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _share = TimeSpan.FromSeconds(1) / options.Value.MaxMessagesPerSecond;
    private readonly Lock _gate = new();
    private readonly RecentNames<TimeSpan> _paidAt = new(RememberedRuns);      // by epoch, since the start
    private readonly long _start = time.GetTimestamp();

    /// <summary>Whether one more message may come now.</summary>
    public bool TryTake(string epoch) => WaitFor(epoch) == TimeSpan.Zero;

    /// <summary>Completes when one more message may come.</summary>
    /// <exception cref="OperationCanceledException">It is over.</exception>
    public async ValueTask TakeAsync(string epoch, CancellationToken leave)
    {
        for (var wait = WaitFor(epoch); wait > TimeSpan.Zero; wait = WaitFor(epoch))
        {
            await Task.Delay(wait, time, leave);
        }
    }

    /// <summary>Zero where a message was let in; else after how long the next one may be.</summary>
    private TimeSpan WaitFor(string epoch)
    {
        var now = time.GetElapsedTime(_start);
        lock (_gate)
        {
            var paidAt = _paidAt.TryGet(epoch, out var last) && last > now ? last : now;
            paidAt += _share;
            if (paidAt - now > LargestDebt)
            {
                return TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling((paidAt - now - LargestDebt).TotalMilliseconds)));
            }

            _paidAt.Set(epoch, paidAt);
            return TimeSpan.Zero;
        }
    }
}
