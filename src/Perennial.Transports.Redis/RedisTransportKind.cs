using Perennial.Management;

namespace Perennial.Transports.Redis;

/// <summary>Adds Redis to the kinds of transport that a <see cref="TransportManager"/> and a configuration can name.</summary>
public static class RedisTransportKind
{
    /// <summary>The name of the kind: <c>redis</c>.</summary>
    public const string Name = "redis";

    /// <summary>Returns a copy of the kinds with <see cref="RedisTransport"/> under <see cref="Name"/>.</summary>
    /// <param name="kinds">The kinds, such as <see cref="TransportKinds.Default"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="kinds"/> is <see langword="null"/>.</exception>
    public static TransportKinds WithRedis(this TransportKinds kinds)
    {
        ArgumentNullException.ThrowIfNull(kinds);
        return kinds.With<RedisTransportOptions>(Name, static (options, services) => new RedisTransport(options, services));
    }
}
