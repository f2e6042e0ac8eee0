using System.Collections.Concurrent;
using MQTTnet;
using MQTTnet.Protocol;

namespace Perennial.Transports.Mqtt.Tests.Support;

/// <summary>MQTTnet's own client, straight to the server: what the transport is tested against.</summary>
public sealed class PlainClient : IAsyncDisposable
{
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly ConcurrentQueue<string> _received = new();

    private PlainClient() => _client.ApplicationMessageReceivedAsync += e =>
    {
        _received.Enqueue(e.ApplicationMessage.ConvertPayloadToString() ?? "");
        return Task.CompletedTask;
    };

    /// <summary>The payloads that came, the first one first.</summary>
    public IReadOnlyList<string> Received => [.. _received];

    public static async Task<PlainClient> ConnectAsync(
        int port, CancellationToken cancellationToken, string? id = null, bool isKept = false)
    {
        var client = new PlainClient();
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", port)
            .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500)
            .WithClientId(id ?? Guid.NewGuid().ToString("N"))
            .WithCleanStart(!isKept)
            .WithSessionExpiryInterval(isKept ? 3600u : 0)
            .Build();
        await client._client.ConnectAsync(options, cancellationToken);
        return client;
    }

    public Task PublishAsync(
        string topic,
        string text,
        CancellationToken cancellationToken,
        MqttQuality quality = MqttQuality.ExactlyOnce,
        params (string Name, string Value)[] properties)
    {
        var message = new MqttApplicationMessageBuilder()
            .WithTopic(topic)
            .WithPayload(text)
            .WithQualityOfServiceLevel((MqttQualityOfServiceLevel)quality);
        foreach (var (name, value) in properties)
        {
            message.WithUserProperty(name, System.Text.Encoding.UTF8.GetBytes(value).AsMemory());
        }

        return _client.PublishAsync(message.Build(), cancellationToken);
    }

    public Task SubscribeAsync(string topic, CancellationToken cancellationToken, MqttQuality quality = MqttQuality.ExactlyOnce) =>
        _client.SubscribeAsync(topic, (MqttQualityOfServiceLevel)quality, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected)
        {
            await _client.DisconnectAsync(new MqttClientDisconnectOptions { SessionExpiryInterval = 3600 });
        }

        _client.Dispose();
    }
}
