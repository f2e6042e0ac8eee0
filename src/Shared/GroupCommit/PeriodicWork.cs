namespace Perennial.GroupCommit;

/// <summary>Work that a store repeats while it is open.</summary>
internal static class PeriodicWork
{
    private const int AttemptsInInterval = 5;       // after a failure

    /// <summary>Does the work once in each interval until the token is cancelled. After a failure it is tried again sooner.</summary>
    public static async Task RunAsync(
        TimeSpan interval, Func<CancellationToken, Task> work, Action<Exception> onFailed, TimeProvider time, CancellationToken stop)
    {
        for (var wait = interval; ;)
        {
            await Task.Delay(wait, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await work(stop);
                wait = interval;
            }
            catch (Exception e)
            {
                onFailed(e);
                wait = interval / AttemptsInInterval;
            }
        }
    }
}
