using Perennial.Management;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Transports.Redis.Tests.Support;
using Perennial.Transports.Tests.Servers;
using StackExchange.Redis;

namespace Perennial.Transports.Redis.Tests;

/// <summary>Pub/Sub that loses messages, servers that refuse, and options that mean nothing.</summary>
public sealed class RefusalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_loss_before_the_first_message_of_a_channel_is_a_gap()
    {
        await using var server = await RedisServer.StartNewAsync();
        await using var proxy = FaultProxy.Start(server.Address);
        await using var transport = new RedisTransport(
            new RedisTransportOptions { Endpoint = proxy.Address, Patterns = ["news.*"], Reconnect = Reading.Quickly });
        var again = new TaskCompletionSource();
        transport.Connected += (_, connected) => _ = connected.Attempt > 0 && again.TrySetResult();
        await transport.ConnectAsync(Token).Soon();
        proxy.CutAll();
        await again.Task.Soon();

        await server.Database.PublishAsync(RedisChannel.Literal("news.today"), "1");

        var message = (await transport.ReadThroughAsync("1")).Single();
        message.FollowsGap.ShouldBeTrue();
        message.EventType.ShouldBe("news.today");
        transport.ResumePoint.ShouldBeNull();
    }

    [Fact]
    public async Task Messages_of_a_channel_that_do_not_fit_are_a_gap()
    {
        const int Count = 2000;
        await using var server = await RedisServer.StartNewAsync();
        await using var transport = new RedisTransport(new RedisTransportOptions
        {
            Endpoint = server.Address,
            Channels = ["news"],
            MaxPending = 10,
            Buffer = new BufferOptions { Capacity = 2 },
        });
        await transport.ConnectAsync(Token).Soon();
        for (var number = 1; number <= Count; number++)
        {
            await server.Database.PublishAsync(RedisChannel.Literal("news"), number);
        }

        var reading = transport.ReadThroughAsync("end");
        while (!reading.IsCompleted)
        {
            await server.Database.PublishAsync(RedisChannel.Literal("news"), "end");
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, Token);
        }

        var messages = await reading;
        messages.Count.ShouldBeLessThan(Count);
        messages.Count(static message => message.FollowsGap).ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("right", null)]
    [InlineData("wrong", "WRONGPASS")]
    [InlineData(null, "NOAUTH")]
    public async Task Refused_credentials_are_a_final_error(string? password, string? refusal)
    {
        LocalServer.Require("redis-server");
        await using var server = new RedisServer("--requirepass", "right");
        await server.StartAsync(Token);
        var userInfo = password is null ? "" : $":{password}@";
        await using var transport = new RedisTransport(new RedisTransportOptions
        {
            Endpoint = new Uri($"redis://{userInfo}127.0.0.1:{server.Port}"),
            Channels = ["news"],
            Reconnect = new ReconnectOptions { Enabled = false },
        });

        var connecting = transport.ConnectAsync(Token).Soon();

        if (refusal is null)
        {
            await connecting;
            return;
        }

        var error = await connecting.ShouldThrowAsync<TransportException>();
        error.IsTransient.ShouldBeFalse(error.ToString());
        error.Code.ShouldBe(TransportErrorCode.ConnectFailed);
    }

    [Fact]
    public async Task A_key_that_is_no_stream_is_a_final_error()
    {
        await using var server = await RedisServer.StartNewAsync();
        await server.Database.StringSetAsync("text", "x");
        await using var transport = new RedisTransport(new RedisTransportOptions { Endpoint = server.Address, Stream = "text" });
        _ = transport.ConnectAsync(Token).ContinueWith(static task => task.Exception, TaskScheduler.Default);

        var error = (await transport.Completion.Soon()).Error.ShouldNotBeNull();

        error.Code.ShouldBe(TransportErrorCode.ProtocolViolation);
        error.ServerCode.ShouldBe("WRONGTYPE");
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("")]
    public async Task A_server_of_another_protocol_is_given_up(string answer)
    {
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.WriteAsync(answer);
            await connection.WaitForClientCloseAsync(connection.Stopping);
        });
        await using var transport = new RedisTransport(new RedisTransportOptions
        {
            Endpoint = new UriBuilder(server.Address) { Scheme = "redis" }.Uri,
            Channels = ["news"],
            ConnectTimeout = TimeSpan.FromSeconds(1),
            Reconnect = new ReconnectOptions { Enabled = false },
        });

        await transport.ConnectAsync(Token).Soon().ShouldThrowAsync<TransportException>();
    }

    [Fact]
    public async Task A_manager_creates_it_by_its_kind()
    {
        await using var server = await RedisServer.StartNewAsync();
        await using var manager = new TransportManager(new TransportManagerOptions { Kinds = TransportKinds.Default.WithRedis() });
        var transport = manager.Create("redis", new RedisTransportOptions { Endpoint = server.Address, SendStream = "sends" });

        (await transport.SendAsync("hello", Token).Soon()).ShouldBe(SendOutcome.Acknowledged);

        (await server.Database.StreamLengthAsync("sends")).ShouldBe(1);
    }

    [Fact]
    public void Options_that_mean_nothing_are_refused_by_name()
    {
        var options = new RedisTransportOptions { Endpoint = new Uri("redis://host/0?stream=a") };

        Refused(options with { Endpoint = new Uri("http://host/") }).ShouldContain("redis://, rediss://");
        Refused(options with { Endpoint = new Uri("redis://host/") }).ShouldContain("Stream");
        Refused(options with { Endpoint = new Uri("redis://host/x?stream=a") }).ShouldContain("Endpoint");
        Refused(options with { Channels = ["b"] }).ShouldContain("Stream");
        Refused(options with { LastEventId = "first" }).ShouldContain("LastEventId");
        Refused(options with { MaxPending = 0 }).ShouldContain("MaxPending");
        Refused(options with { PingInterval = TimeSpan.Zero }).ShouldContain("PingInterval");
        Refused(options with { Endpoint = new Uri("redis://host/?channel=a"), LastEventId = "1-0" }).ShouldContain("need a stream");
    }

    private static string Refused(RedisTransportOptions options) => Should.Throw<ArgumentException>(options.Validate).Message;
}
