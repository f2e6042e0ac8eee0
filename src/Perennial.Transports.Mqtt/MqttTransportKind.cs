using Perennial.Management;

namespace Perennial.Transports.Mqtt;

/// <summary>Adds MQTT to the kinds of transport that a <see cref="TransportManager"/> and a configuration can name.</summary>
public static class MqttTransportKind
{
    /// <summary>The name of the kind: <c>mqtt</c>.</summary>
    public const string Name = "mqtt";

    /// <summary>Returns a copy of the kinds with <see cref="MqttTransport"/> under <see cref="Name"/>.</summary>
    /// <param name="kinds">The kinds, such as <see cref="TransportKinds.Default"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="kinds"/> is <see langword="null"/>.</exception>
    public static TransportKinds WithMqtt(this TransportKinds kinds)
    {
        ArgumentNullException.ThrowIfNull(kinds);
        return kinds.With<MqttTransportOptions>(Name, static (options, services) => new MqttTransport(options, services));
    }
}
