namespace Perennial.Transports.Mqtt;

/// <summary>Specifies the quality of service of MQTT messages (MQTT 5, section 4.3).</summary>
public enum MqttQuality
{
    /// <summary>QoS 0: a message may be lost. Each lost connection is a gap, and a send ends as sent.</summary>
    AtMostOnce,

    /// <summary>QoS 1: the session loses no message, and the transport drops repeated ones. A send is acknowledged.</summary>
    AtLeastOnce,

    /// <summary>QoS 2: as QoS 1, and the protocol recognizes repetitions. A send is repeated until it is acknowledged.</summary>
    ExactlyOnce,
}

/// <summary>Specifies the version of the MQTT protocol.</summary>
public enum MqttVersion
{
    /// <summary>MQTT 5.0.</summary>
    V5,

    /// <summary>MQTT 3.1.1.</summary>
    V311,
}
