using Perennial.Benchmarks.Server;
using Perennial.Redis;
using Perennial.Redis.Tests.Support;
using StackExchange.Redis;

namespace Perennial.Benchmarks;

/// <summary>
/// Runs in Redis, on a server of our own that flushes its file every second: tokens written per second, and from node to node.
/// </summary>
internal static class RedisStore
{
    public static async Task PrintAsync(int turns)
    {
        await using var server = new TemporaryServer("--appendonly", "yes", "--appendfsync", "everysec");
        await server.StartAsync();
        if (server.Absence is { } absence)
        {
            Console.WriteLine($"Left out: {absence}");
            return;
        }

        var connectionString = TemporaryServer.ConnectionStringTo(server.Port);
        Console.WriteLine(
            "| runs at once | tokens under way of each | Redis | one XADD each |\n|---:|---:|---:|---:|");
        foreach (var (runs, underWay) in SharedStore.Writers)
        {
            var rates = await MeasureAsync(connectionString, runs, underWay, turns);
            Table.Print($"| {runs} | {underWay} | {rates[0]:N0} | {rates[1]:N0} |");
        }

        await StoreLatency.PrintAsync(node => node.AddRedisStore(connectionString));
        await DeliveryRows.PrintAsync("Redis", ["redis", connectionString]);
    }

    /// <summary>The command that adds an entry to a stream keeps neither an end nor a producer, so it does less than the store.</summary>
    private static async Task<double[]> MeasureAsync(string connectionString, int runs, int underWay, int turns)
    {
        using var node = await SharedStore.StartNodeAsync(server => server.AddRedisStore(connectionString));
        await using var connection = await ConnectionMultiplexer.ConnectAsync(connectionString);
        var database = connection.GetDatabase();
        return await StoreThroughput.MeasureAsync(
            [node], run => database.StreamAddAsync($"tokens:{run}", "0", SharedStore.Token(0)), runs, underWay, turns);
    }
}
