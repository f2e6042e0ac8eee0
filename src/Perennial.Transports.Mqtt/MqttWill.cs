namespace Perennial.Transports.Mqtt;

/// <summary>A message that the server publishes if the connection ends without a goodbye.</summary>
public sealed record MqttWill
{
    /// <summary>Gets the topic, without wildcards.</summary>
    public string Topic { get; init; } = "";

    /// <summary>Gets the payload. Default empty.</summary>
    public string Payload { get; init; } = "";

    /// <summary>Gets the quality of service. Default <see cref="MqttQuality.AtLeastOnce"/>.</summary>
    public MqttQuality Quality { get; init; } = MqttQuality.AtLeastOnce;

    /// <summary>Gets whether the server keeps the message for later subscribers. Default <see langword="false"/>.</summary>
    public bool Retain { get; init; }

    /// <summary>
    /// Gets how long the server waits for the client to return before it publishes the message (MQTT 5). Default zero, in whole seconds.
    /// </summary>
    public TimeSpan Delay { get; init; }
}
