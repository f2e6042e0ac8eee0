using Microsoft.Extensions.Hosting;
using Perennial.Management;

namespace Perennial.Hosting;

/// <summary>
/// Makes the manager with the host, so that health is checked from the start, and closes all transports after everything else has
/// stopped: until then requests under way and workers may use them. Takes at most <see cref="TransportManagerOptions.CloseTimeout"/>.
/// </summary>
internal sealed class TransportClosing(TransportManager manager) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Where others have used up the host's time, its token is cancelled; the streams are closed in good order all the same.</summary>
    public Task StoppedAsync(CancellationToken cancellationToken) => manager.CloseAllAsync(CancellationToken.None);
}
