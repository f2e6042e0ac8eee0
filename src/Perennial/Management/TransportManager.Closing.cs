using System.Diagnostics.CodeAnalysis;
using Perennial.Diagnostics;

namespace Perennial.Management;

/// <content>How transports leave.</content>
public sealed partial class TransportManager
{
    /// <summary>Closes a transport for good and takes it out of the pool.</summary>
    /// <param name="id">As in <see cref="Transport.Id"/>.</param>
    /// <param name="cancellationToken">Ends the wait for it, which is at most <see cref="TransportManagerOptions.CloseTimeout"/>.</param>
    /// <returns>Whether it was in the pool.</returns>
    public async Task<bool> CloseAsync(string id, CancellationToken cancellationToken = default)
    {
        if (!_pool.TryGet(id, out var pooled) || !_pool.TryRemove(pooled))
        {
            return false;
        }

        await WaitAsync(BeginClosing(pooled, RemovalReason.Closed), pooled.Transport, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Closes all transports that are in the pool now, all at the same time.</summary>
    /// <param name="cancellationToken">Ends the wait for them, which is at most <see cref="TransportManagerOptions.CloseTimeout"/>.</param>
    public async Task CloseAllAsync(CancellationToken cancellationToken = default)
    {
        PooledTransport[] removed = [.. _pool.Snapshot.Transports.Where(_pool.TryRemove)];
        foreach (var pooled in removed)
        {
            _ = BeginClosing(pooled, RemovalReason.Closed);
        }

        await Task.WhenAll(_closing.Select(closing => WaitAsync(closing.Value, closing.Key.Transport, cancellationToken))).ConfigureAwait(false);
        Events.RaiseAllClosed(removed.Length);
    }

    private Task BeginClosing(PooledTransport pooled, RemovalReason reason)
    {
        var closing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _closing[pooled] = closing.Task;
        _ = CloseForGoodAsync(pooled, reason, closing);
        return closing.Task;
    }

    [SuppressMessage("Design", "CA1031", Justification = "A transport of somebody else's may throw anything while it is closed; the others are closed all the same.")]
    private async Task CloseForGoodAsync(PooledTransport pooled, RemovalReason reason, TaskCompletionSource closing)
    {
        var transport = pooled.Transport;
        try
        {
            await transport.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.CloseFailed(_logger, transport.Kind, transport.Id, e.GetType().Name);
        }

        Events.Detach(transport);
        Events.RaiseRemoved(new RemovedEvent(transport, reason));
        _closing.TryRemove(pooled, out _);
        closing.SetResult();
    }

    private async Task WaitAsync(Task closing, Transport transport, CancellationToken cancellationToken)
    {
        try
        {
            await closing.WaitAsync(_options.CloseTimeout, Services.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            ManagerLog.LeftBehind(_logger, transport.Kind, transport.Id, _options.CloseTimeout);
        }
    }
}
