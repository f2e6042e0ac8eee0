using System.Globalization;
using Perennial.Testing;

namespace Perennial.Transports.Mqtt.Tests.Support;

/// <summary>A topic of mosquitto, behind a proxy. A message whose topic is <c>stream/end</c> completes the stream.</summary>
/// <param name="quality">The quality of service of everything.</param>
/// <param name="version">The version of the protocol.</param>
public abstract class MqttHarness(MqttQuality quality, MqttVersion version) : TcpTransportHarness
{
    private readonly MosquittoServer _server = new();
    private PlainClient? _publisher;
    private PlainClient? _subscriber;
    private int _transports;

    public override TransportTraits Traits { get; } = new()
    {
        ResumesExactly = quality != MqttQuality.AtMostOnce,
        ServerKeepsPosition = true,
        MarksEnd = true,
        TellsFailures = true,
        Sends = quality switch
        {
            MqttQuality.AtMostOnce => SendPromise.Sent,
            MqttQuality.AtLeastOnce => SendPromise.Acknowledged,
            _ => SendPromise.ExactlyOnce,
        },
    };

    public override IReadOnlyList<string> ReceivedSends => _subscriber!.Received;

    public override Transport CreateTransport(TransportSetup setup) => new MqttTransport(
        setup.ApplyTo(new MqttTransportOptions
        {
            Endpoint = Address,
            Version = version,
            Quality = quality,
            Topics = ["stream/+"],
            SendTopic = "sends",
            ClientId = string.Create(CultureInfo.InvariantCulture, $"reader-{++_transports}"),
            Classify = static (in message) => message.EventType switch
            {
                "stream/end" => StreamSignal.Completed,
                "stream/failed" => StreamSignal.Failed,
                _ => StreamSignal.None,
            },
        }),
        setup.Services);

    public override Task WriteAsync(string text, CancellationToken cancellationToken) => WriteAsync("stream/data", text, cancellationToken);

    public override Task CompleteAsync(CancellationToken cancellationToken) => WriteAsync("stream/end", "", cancellationToken);

    public override Task FailAsync(CancellationToken cancellationToken) => WriteAsync("stream/failed", "", cancellationToken);

    protected override async Task<Uri> StartServerAsync(CancellationToken cancellationToken)
    {
        MosquittoServer.Require(MosquittoServer.Program);
        await _server.StartAsync(cancellationToken);
        _publisher = await PlainClient.ConnectAsync(_server.Port, cancellationToken);
        _subscriber = await PlainClient.ConnectAsync(_server.Port, cancellationToken);
        await _subscriber.SubscribeAsync("sends", cancellationToken);
        if (Traits.ResumesExactly)
        {
            // The session of the first reader exists before the first message.
            await using var reader = await PlainClient.ConnectAsync(_server.Port, cancellationToken, "reader-1", isKept: true);
            await reader.SubscribeAsync("stream/+", cancellationToken, quality);
        }

        return _server.Address;
    }

    protected override async ValueTask StopServerAsync()
    {
        if (_publisher is not null)
        {
            await _publisher.DisposeAsync();
        }

        if (_subscriber is not null)
        {
            await _subscriber.DisposeAsync();
        }

        await _server.DisposeAsync();
    }

    private Task WriteAsync(string topic, string text, CancellationToken cancellationToken) =>
        _publisher!.PublishAsync(topic, text, cancellationToken, quality);
}

public sealed class AtMostOnceHarness() : MqttHarness(MqttQuality.AtMostOnce, MqttVersion.V5);

public sealed class AtLeastOnceHarness() : MqttHarness(MqttQuality.AtLeastOnce, MqttVersion.V5);

public sealed class ExactlyOnceHarness() : MqttHarness(MqttQuality.ExactlyOnce, MqttVersion.V5);

public sealed class OldVersionHarness() : MqttHarness(MqttQuality.AtLeastOnce, MqttVersion.V311);

public sealed class OldVersionExactlyOnceHarness() : MqttHarness(MqttQuality.ExactlyOnce, MqttVersion.V311);
