using StackExchange.Redis;

namespace Perennial.Redis.Tests.Support;

/// <summary>The Redis server of one run of the tests.</summary>
public sealed class RedisServer : IAsyncLifetime
{
    private readonly TemporaryServer _server = new("--appendonly", "yes", "--appendfsync", "no");
    private ConnectionMultiplexer? _observer;

    /// <summary>Skips the test where there is no server. In CI that is a failure.</summary>
    public void Require()
    {
        if (_server.Absence is not { } absence)
        {
            return;
        }

        Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is not "true", absence);
        Assert.Fail(absence);
    }

    public string ConnectionString => ConnectionStringTo(_server.Port);

    public Uri Address => new($"tcp://127.0.0.1:{_server.Port}");

    /// <summary>A connection of the tests themselves.</summary>
    public IDatabase Observer => _observer!.GetDatabase();

    /// <summary>How to reach the server through a port that somebody forwards to it.</summary>
    public static string ConnectionStringTo(int port) => TemporaryServer.ConnectionStringTo(port);

    public async ValueTask InitializeAsync()
    {
        await _server.StartAsync();
        if (_server.Absence is null)
        {
            _observer = await ConnectionMultiplexer.ConnectAsync($"{ConnectionString},name=observer,abortConnect=false,allowAdmin=true");
        }
    }

    public Task StartAsync() => _server.StartAsync();

    /// <summary>SIGKILL, or an end in order.</summary>
    public Task StopAsync(bool isCrash) => _server.StopAsync(isCrash);

    /// <summary>Ends the server's side of all connections of a kind but those of the tests; returns how many.</summary>
    public async Task<int> KillClientsAsync(string kind)
    {
        var killed = await Observer.ExecuteAsync("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes");
        return (int)killed;
    }

    public Task<int> KillListenersAsync() => KillClientsAsync("pubsub");

    /// <summary>The sum of the numbers by which nodes show that they are alive.</summary>
    public async Task<long> BeatsAsync(string space) =>
        (await Observer.HashValuesAsync(new Names(space).Nodes)).Sum(static beat => (long)beat);

    public async ValueTask DisposeAsync()
    {
        if (_observer is not null)
        {
            await _observer.DisposeAsync();
        }

        await _server.DisposeAsync();
    }
}
