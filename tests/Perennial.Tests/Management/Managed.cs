using Perennial.Management;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Management;

/// <summary>Managers of transports whose connections are in the hands of the test.</summary>
internal static class Managed
{
    public static TransportKinds Kinds { get; } =
        TransportKinds.Default.With<MemoryTransportOptions>("memory", static (options, services) => new MemoryTransport(options, services));

    /// <summary>Checks and sweeps only when asked.</summary>
    public static TransportManagerOptions Options { get; } = new() { Kinds = Kinds, HealthCheckInterval = Timeout.InfiniteTimeSpan };

    public static MemoryTransport CreateMemory(this TransportManager manager, MemoryTransportOptions? options = null) =>
        (MemoryTransport)manager.Create(options ?? MemoryTransport.Options);
}
