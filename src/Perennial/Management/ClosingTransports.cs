using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;

namespace Perennial.Management;

/// <summary>The transports of a manager that have left the pool and are not closed yet. Thread safe.</summary>
/// <param name="limit">The longest time to wait for a transport to close.</param>
/// <param name="events">Announces each closed transport.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Logs transports that do not close in an orderly way or in time.</param>
internal sealed class ClosingTransports(TimeSpan limit, ManagerEvents events, TimeProvider time, ILogger logger)
{
    private readonly ConcurrentDictionary<PooledTransport, Task> _closing = new();

    /// <summary>Starts to close a transport that was removed from the pool.</summary>
    public void Begin(PooledTransport pooled, RemovalReason reason)
    {
        var closing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _closing[pooled] = closing.Task;
        _ = CloseAsync(pooled, reason, closing);
    }

    /// <summary>Waits until a transport is closed, or the limit is reached.</summary>
    public async Task WaitAsync(PooledTransport pooled, CancellationToken cancellationToken)
    {
        if (!_closing.TryGetValue(pooled, out var closing))
        {
            return;
        }

        try
        {
            await closing.WaitAsync(limit, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            ManagerLog.CloseTimedOut(logger, pooled.Transport.Kind, pooled.Transport.Id, limit);
        }
    }

    /// <summary>Waits until all transports that are closing now are closed, or the limit is reached.</summary>
    public Task WaitForAllAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_closing.Keys.Select(pooled => WaitAsync(pooled, cancellationToken)));

    [SuppressMessage("Design", "CA1031", Justification = "A custom transport may throw anything while it closes; the other transports must still be closed.")]
    private async Task CloseAsync(PooledTransport pooled, RemovalReason reason, TaskCompletionSource closing)
    {
        var transport = pooled.Transport;
        try
        {
            await transport.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.CloseFailed(logger, transport.Kind, transport.Id, e.GetType().Name);
        }

        events.Detach(transport);
        events.RaiseRemoved(new RemovedEvent { Transport = transport, Reason = reason });
        _closing.TryRemove(pooled, out _);
        closing.SetResult();
    }
}
