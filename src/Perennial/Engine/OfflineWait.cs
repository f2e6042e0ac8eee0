namespace Perennial.Engine;

/// <summary>
/// Decides whether a failed attempt is spent: it is not while this machine has no network, for ten minutes at most. A loopback endpoint
/// needs no network, and in a container loopback may be all there is. Used by the connection loop alone.
/// </summary>
internal sealed class OfflineWait(TransportCore core)
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private long? _since;           // when the first attempt failed without a network

    /// <summary>Whether an attempt failed because there is no network, so that it does not count.</summary>
    public bool Excuses(TransportException error)
    {
        var isOffline = error is { Code: TransportErrorCode.ConnectFailed or TransportErrorCode.ConnectTimeout or TransportErrorCode.CircuitOpen, IsTransient: true }
            && !core.Options.StreamEndpoint.IsLoopback
            && !core.Services.Network.IsAvailable;
        if (!isOffline)
        {
            _since = null;
            return false;
        }

        _since ??= core.Time.GetTimestamp();
        return Left > TimeSpan.Zero;
    }

    /// <summary>Completes when there is a network again, or the ten minutes are over; at once where the last attempt was not excused.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _since is not null && Left is var left && left > TimeSpan.Zero
        ? core.Services.Network.WaitUntilAvailableAsync(left, core.Time, cancellationToken)
        : Task.CompletedTask;

    private TimeSpan Left => Limit - core.Time.GetElapsedTime(_since!.Value);
}
