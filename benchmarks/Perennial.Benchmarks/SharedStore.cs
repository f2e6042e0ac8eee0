using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.Benchmarks.Server;
using Perennial.PostgreSql;
using Perennial.PostgreSql.Tests.Support;

namespace Perennial.Benchmarks;

/// <summary>
/// Runs in PostgreSQL, on a server of our own that is as careful as it comes (fsync on): tokens written per second, and from node to node.
/// </summary>
internal static class SharedStore
{
    /// <summary>How many runs write at once, and how many tokens of each are under way.</summary>
    public static readonly (int Runs, int UnderWay)[] Writers = [(1, 1), (1, 64), (20, 1), (200, 1), (1000, 1)];

    public static async Task PrintAsync(int turns)
    {
        await using var server = new TemporaryServer("-c fsync=on");
        await server.CreateAsync();
        if (server.Absence is { } absence)
        {
            Console.WriteLine($"Left out: {absence}");
            return;
        }

        var connectionString = TemporaryServer.ConnectionStringTo(server.Port);
        Console.WriteLine(
            "| runs at once | tokens under way of each | tokens/s, group commit | tokens/s, one insert each | ratio |\n|---:|---:|---:|---:|---:|");
        foreach (var (writers, underWay) in Writers)
        {
            var (grouped, single) = await StoreThroughput.MeasureAsync(connectionString, writers, underWay, turns);
            Table.Print($"| {writers} | {underWay} | {grouped:N0} | {single:N0} | {grouped / single:N2} |");
        }

        await StoreLatency.PrintAsync(node => node.AddPostgreSqlStore(connectionString));
        await DeliveryRows.PrintAsync("PostgreSQL", ["postgresql", connectionString]);
    }

    /// <summary>A node with any store, which works until it is disposed.</summary>
    public static async Task<IHost> StartNodeAsync(Action<PerennialServerBuilder> addStore)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.ClearProviders();
        addStore(builder.Services.AddPerennialServer(options => options.MaxBytesPerRun = 1L << 30));
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    public static RunStore StoreOf(IHost node) => node.Services.GetRequiredService<RunStore>();

    public static ValueTask<RunLog> CreateRunAsync(RunStore store) =>
        store.CreateAsync(new NewRun { Id = Guid.NewGuid().ToString("N"), Epoch = "abcdefgh" }, CancellationToken.None);

    public static byte[] Token(long value) => Encoding.ASCII.GetBytes(value.ToString("D20", CultureInfo.InvariantCulture));
}
