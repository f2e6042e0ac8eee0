using System.Collections.Concurrent;
using Perennial.Testing;
using StackExchange.Redis;

namespace Perennial.Transports.Redis.Tests.Support;

/// <summary>A Redis server behind a proxy. Messages of the type <c>completed</c> and <c>failed</c> end a stream.</summary>
public abstract class RedisHarness : TcpTransportHarness
{
    protected RedisServer? Server { get; private set; }

    protected abstract RedisTransportOptions Options { get; }

    public override Transport CreateTransport(TransportSetup setup) => new RedisTransport(
        setup.ApplyTo(Options with
        {
            Classify = static (in message) => message.EventType switch
            {
                "completed" => StreamSignal.Completed,
                "failed" => StreamSignal.Failed,
                _ => StreamSignal.None,
            },
        }),
        setup.Services);

    protected override async Task<Uri> StartServerAsync(CancellationToken cancellationToken)
    {
        Server = await RedisServer.StartNewAsync();
        return Server.Address;
    }

    protected override async ValueTask StopServerAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }
    }
}

public sealed class StreamHarness : RedisHarness
{
    public override TransportTraits Traits { get; } = new()
    {
        ResumesExactly = true,
        MarksEnd = true,
        TellsFailures = true,
        Sends = SendPromise.Acknowledged,
    };

    public override IReadOnlyList<string> ReceivedSends =>
        [.. Server!.Database.StreamRange("sends").Select(static entry => entry["data"].ToString())];

    protected override RedisTransportOptions Options => new() { Endpoint = Address, Stream = "stream", SendStream = "sends" };

    public override Task WriteAsync(string text, CancellationToken cancellationToken) =>
        Server!.Database.StreamAddAsync("stream", "data", text);

    public override Task CompleteAsync(CancellationToken cancellationToken) => EndAsync("completed");

    public override Task FailAsync(CancellationToken cancellationToken) => EndAsync("failed");

    private Task<RedisValue> EndAsync(string type) => Server!.Database.StreamAddAsync("stream", [new("event", type), new("data", "")]);
}

public sealed class ChannelHarness : RedisHarness
{
    private readonly ConcurrentQueue<string> _sends = new();

    public override TransportTraits Traits { get; } = new()
    {
        MarksEnd = true,
        TellsFailures = true,
        Sends = SendPromise.Acknowledged,
    };

    public override IReadOnlyList<string> ReceivedSends => [.. _sends];

    protected override RedisTransportOptions Options => new()
    {
        Endpoint = Address,
        Channels = ["data", "completed", "failed"],
        SendChannel = "sends",
    };

    public override Task WriteAsync(string text, CancellationToken cancellationToken) => PublishAsync("data", text);

    public override Task CompleteAsync(CancellationToken cancellationToken) => PublishAsync("completed", "");

    public override Task FailAsync(CancellationToken cancellationToken) => PublishAsync("failed", "");

    protected override async Task<Uri> StartServerAsync(CancellationToken cancellationToken)
    {
        var address = await base.StartServerAsync(cancellationToken);
        var sends = await Server!.Subscriber.SubscribeAsync(RedisChannel.Literal("sends"));
        sends.OnMessage(message => _sends.Enqueue(message.Message.ToString()));
        return address;
    }

    private Task<long> PublishAsync(string channel, string text) => Server!.Database.PublishAsync(RedisChannel.Literal(channel), text);
}
