using System.Globalization;
using Perennial.Transports.Tests.Servers;
using StackExchange.Redis;

namespace Perennial.Transports.Redis.Tests.Support;

/// <summary>A Redis server of the test's own, and a client straight to it.</summary>
/// <param name="settings">Settings, as on its command line.</param>
public sealed class RedisServer(params string[] settings) : LocalServer
{
    private ConnectionMultiplexer? _redis;

    public Uri Address => new($"redis://127.0.0.1:{Port}");

    public IDatabase Database => _redis!.GetDatabase();

    public ISubscriber Subscriber => _redis!.GetSubscriber();

    public static async Task<RedisServer> StartNewAsync(params string[] settings)
    {
        Require("redis-server");
        var server = new RedisServer(settings);
        await server.StartAsync(TestContext.Current.CancellationToken);
        await server.ConnectAsync();
        return server;
    }

    /// <summary>Opens the client, also after a restart.</summary>
    public async Task ConnectAsync(string? password = null)
    {
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        _redis = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{Port},password={password}");
    }

    protected override (string Program, string[] Arguments) CommandFor(int port) => (
        "redis-server",
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--dir", Folder, .. settings,
        ]);
}
