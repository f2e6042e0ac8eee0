namespace Perennial.Engine;

/// <summary>
/// Decides whether a failed attempt counts. It does not while this machine has no network, for at most ten minutes. A loopback endpoint
/// needs no network, and a container may have only loopback. Used by the connection loop only.
/// </summary>
internal sealed class OfflineWait(TransportCore core)
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private long? _since;           // when the first attempt failed without a network

    /// <summary>Whether the attempt failed because there is no network, so that it does not count.</summary>
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

    /// <summary>
    /// Completes when there is a network again, or the ten minutes are over. Completes at once if the last attempt counted.
    /// </summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _since is not null && Left is var left && left > TimeSpan.Zero
        ? core.Services.Network.WaitUntilAvailableAsync(left, core.Time, cancellationToken)
        : Task.CompletedTask;

    private TimeSpan Left => Limit - core.Time.GetElapsedTime(_since!.Value);
}
