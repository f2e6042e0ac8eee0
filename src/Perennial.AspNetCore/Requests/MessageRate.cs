using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Requests;

/// <summary>Limits the messages per second to each run, by POST and WebSocket together. Safe from any thread.</summary>
/// <remarks>
/// Each message adds its share of a second to the run's debt. A message that would make the debt longer than a second is refused. The runs
/// without a message for the longest time are forgotten, together with their debt.
/// </remarks>
/// <param name="options">The limit per second, which is also the limit of a burst.</param>
/// <param name="time">The clock.</param>
internal sealed class MessageRate(IOptions<PerennialServerOptions> options, TimeProvider time)
{
    private const int RememberedRuns = 10_000;

    private static readonly TimeSpan LargestDebt = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _share = TimeSpan.FromSeconds(1) / options.Value.MaxMessagesPerSecond;
    private readonly Lock _gate = new();
    private readonly RecentNames<TimeSpan> _paidAt = new(RememberedRuns);      // by epoch, since the start
    private readonly long _start = time.GetTimestamp();

    /// <summary>Takes one message into account if it is allowed now.</summary>
    public bool TryTake(string epoch) => WaitFor(epoch) == TimeSpan.Zero;

    /// <summary>Waits until one more message is allowed.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask TakeAsync(string epoch, CancellationToken leave)
    {
        for (var wait = WaitFor(epoch); wait > TimeSpan.Zero; wait = WaitFor(epoch))
        {
            await Task.Delay(wait, time, leave);
        }
    }

    /// <summary>Returns zero if the message is allowed; otherwise the wait until the next one may be.</summary>
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
