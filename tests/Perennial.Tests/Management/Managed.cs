using Perennial.Testing;
using Perennial.Management;

namespace Perennial.Tests.Management;

/// <summary>Managers of transports whose connections are in the hands of the test.</summary>
internal static class Managed
{
    public static TransportKinds Kinds { get; } =
        TransportKinds.Default.With<InMemoryTransportOptions>(
            "memory", static (options, services) => new InMemoryTransport(options, services));

    /// <summary>Checks and sweeps only when asked.</summary>
    public static TransportManagerOptions Options { get; } = new() { Kinds = Kinds, HealthCheckInterval = Timeout.InfiniteTimeSpan };

    public static InMemoryTransport CreateMemory(this TransportManager manager, InMemoryTransportOptions? options = null) =>
        (InMemoryTransport)manager.Create(options ?? new InMemoryTransportOptions());
}
