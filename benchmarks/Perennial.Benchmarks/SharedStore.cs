using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.PostgreSql;
using Perennial.PostgreSql.Tests.Support;

namespace Perennial.Benchmarks;

/// <summary>Runs in PostgreSQL, on a server of our own that is as careful as it comes (fsync on): tokens written per second, and from node to node.</summary>
internal static class SharedStore
{
    private static readonly (int Runs, int PerSecond)[] Rates = [(1, 20), (50, 20)];

    public static async Task<int> RunAsync()
    {
        await using var server = new TemporaryServer("-c fsync=on");
        await server.CreateAsync();
        if (server.Absence is { } absence)
        {
            await Console.Error.WriteLineAsync(absence);
            return 1;
        }

        var connectionString = TemporaryServer.ConnectionStringTo(server.Port);
        Console.WriteLine($"{Suite.Machine()}\n\n| producers, each waits for each token | tokens/s, group commit | tokens/s, one insert each | ratio |\n|---:|---:|---:|---:|");
        foreach (var producers in new[] { 1, 200 })
        {
            var grouped = await StoreThroughput.GroupedAsync(connectionString, producers);
            var single = await StoreThroughput.SingleAsync(connectionString, producers);
            Print($"| {producers} | {grouped:N0} | {single:N0} | {grouped / single:N1} |");
        }

        Console.WriteLine("\n| runs | tokens/s | append on A to record on B, p50 ms | p99 ms |\n|---:|---:|---:|---:|");
        foreach (var (runs, perSecond) in Rates)
        {
            var times = await StoreLatency.MeasureAsync(connectionString, runs, perSecond);
            Print($"| {runs} | {runs * perSecond:N0} | {At(0.5):N2} | {At(0.99):N2} |");

            double At(double share) => times[(int)(times.Count * share)].TotalMilliseconds;
        }

        return 0;
    }

    /// <summary>A node, which works until it is disposed.</summary>
    public static async Task<IHost> StartNodeAsync(string connectionString)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.ClearProviders();
        builder.Services.AddPerennialServer();
        builder.Services.UsePostgreSql(connectionString);
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    public static IRunStore StoreOf(IHost node) => node.Services.GetRequiredService<IRunStore>();

    public static ValueTask<IRunLog> CreateRunAsync(IRunStore store) =>
        store.CreateAsync(new NewRun(Guid.NewGuid().ToString("N"), "abcdefgh"), CancellationToken.None);

    public static byte[] Token(long value) => Encoding.ASCII.GetBytes(value.ToString("D20", CultureInfo.InvariantCulture));

    private static void Print(FormattableString row) => Console.WriteLine(row.ToString(CultureInfo.InvariantCulture));
}
