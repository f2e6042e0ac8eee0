using Microsoft.Extensions.Hosting;
using Perennial.Management;

namespace Perennial.Hosting;

/// <summary>
/// Creates the manager when the host starts, so that health is checked from the beginning. Closes all transports after everything else has
/// stopped, because requests in progress and background services may use them until then. Closing takes at most
/// <see cref="TransportManagerOptions.CloseTimeout"/>.
/// </summary>
internal sealed class TransportClosing(TransportManager manager) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Closes all transports. Ignores the token: it is already cancelled if other services have used up the host's shutdown time, and the
    /// streams must still be closed in an orderly way.
    /// </summary>
    public Task StoppedAsync(CancellationToken cancellationToken) => manager.CloseAllAsync(CancellationToken.None);
}
