using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Http;

/// <summary>Limits how often each of many runs is sent to. Safe from any thread.</summary>
/// <remarks>
/// Each message moves the run's debt forward by its share of a second; a debt of more than a second is refused. The runs not sent to for longest
/// are forgotten, and with them a debt.
/// </remarks>
/// <param name="perSecond">How many in a second, and at once.</param>
/// <param name="time">The clock.</param>
internal sealed class MessageRate(int perSecond, TimeProvider time)
{
    private const int RememberedRuns = 10_000;

    private readonly Lock _gate = new();
    private readonly RecentNames<TimeSpan> _paidAt = new(RememberedRuns);      // by epoch, since the start
    private readonly long _start = time.GetTimestamp();

    /// <summary>Whether one more message may come now.</summary>
    public bool TryTake(string epoch)
    {
        var now = time.GetElapsedTime(_start);
        lock (_gate)
        {
            var paidAt = _paidAt.TryGet(epoch, out var last) && last > now ? last : now;
            paidAt += TimeSpan.FromSeconds(1) / perSecond;
            if (paidAt - now > TimeSpan.FromSeconds(1))
                return false;
            _paidAt.Set(epoch, paidAt);
            return true;
        }
    }
}
