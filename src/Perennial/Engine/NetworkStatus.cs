using System.Net.NetworkInformation;

namespace Perennial.Engine;

/// <summary>Reports whether this machine has a network, and changes of that. Thread safe.</summary>
internal class NetworkStatus
{
    /// <summary>The network of this machine.</summary>
    public static NetworkStatus System { get; } = new();

    /// <summary>Whether any network interface besides loopback is up. True if the platform cannot determine it.</summary>
    public virtual bool IsAvailable
    {
        get
        {
            try
            {
                return NetworkInterface.GetIsNetworkAvailable();
            }
            catch (Exception e) when (e is NetworkInformationException or PlatformNotSupportedException)
            {
                return true;
            }
        }
    }

    /// <summary>Completes when there is a network, or after the time limit.</summary>
    public async Task WaitUntilAvailableAsync(TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        var available = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void CompleteIfAvailable()
        {
            if (IsAvailable)
            {
                available.TrySetResult();
            }
        }

        using var changes = Watch(CompleteIfAvailable);
        CompleteIfAvailable();         // checked after the watch has begun, so that no change is missed
        try
        {
            await available.Task.WaitAsync(limit, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The time limit has passed: the next attempt counts.
        }
    }

    /// <summary>Calls <paramref name="changed"/> at each change until the result is disposed.</summary>
    protected virtual IDisposable? Watch(Action changed)
    {
        void Changed(object? sender, EventArgs e) => changed();
        try
        {
            NetworkChange.NetworkAddressChanged += Changed;
            return new Subscription(() => NetworkChange.NetworkAddressChanged -= Changed);
        }
        catch (Exception e) when (e is NetworkInformationException or PlatformNotSupportedException)
        {
            return null;
        }
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
