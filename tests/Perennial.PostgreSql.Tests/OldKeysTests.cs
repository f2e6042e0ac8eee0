using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.PostgreSql.Tests.Support;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.PostgreSql.Tests;

/// <summary>How long the keys of requests that start runs are kept.</summary>
public sealed class OldKeysTests(PostgreSqlCluster cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(cluster);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task Old_keys_and_the_oldest_of_too_many_are_deleted()
    {
        var options = new PerennialServerOptions();
        options.Starts.MaxKeys = 2;
        var time = new ManualTimeProvider();
        var store = await _nodes.StartAsync(options, Nodes.TakeTime, time);
        foreach (var name in new[] { "old", "a", "b", "c" })
        {
            var key = Key(name);
            await store.ClaimStartAsync(key, TestEnds);
            await store.CreateAsync(new NewRun { Id = Guid.NewGuid().ToString("N"), Epoch = "abcdefgh", Start = key }, TestEnds);
        }

        await cluster.QueryAsync<string>(
            $"UPDATE {_nodes.Space}.starts SET claimed_at = claimed_at - interval '1 hour' WHERE name = 'old' RETURNING name");
        (await store.ClaimStartAsync(Key("old"), TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Claimed);
        await cluster.QueryAsync<string>(
            $"UPDATE {_nodes.Space}.starts SET claimed_at = claimed_at - interval '1 hour' WHERE name = 'old' RETURNING name");
        await RunReading.UntilAsync(async () =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            return await cluster.QueryAsync<string>(
                $"SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM {_nodes.Space}.starts") is "b c";
        });
    }

    private static StartKey Key(string name) => new StartKey { Name = name, Fingerprint = "same", Request = Guid.NewGuid() };
}
