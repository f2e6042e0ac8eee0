using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Stores;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>The limits of the keys of starts in memory.</summary>
public sealed class MemoryStartTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private MemoryRunStore? _store;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public void Dispose() => _store?.Dispose();

    [Fact]
    public async Task A_key_is_remembered_for_its_time()
    {
        var store = Open(new());
        var first = Key("k", "body");
        await store.ClaimStartAsync(first, TestEnds);
        await CreateAsync(store, first);

        _time.Advance(TimeSpan.FromMinutes(59));
        (await store.ClaimStartAsync(Key("k", "body"), TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Started);
        _time.Advance(TimeSpan.FromMinutes(1));

        (await store.ClaimStartAsync(Key("k", "another body"), TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Claimed);
    }

    [Fact]
    public async Task Where_there_are_too_many_keys_the_oldest_with_a_run_is_forgotten()
    {
        var options = new PerennialServerOptions();
        options.Starts.MaxKeys = 3;
        var store = Open(options);
        var underWay = Key("under way", "body");
        await store.ClaimStartAsync(underWay, TestEnds);
        await StartAsync("a");
        await StartAsync("b");

        (await OutcomeAsync("a")).ShouldBe(StartClaimOutcome.Started);
        await StartAsync("c");

        (await OutcomeAsync("under way")).ShouldBe(StartClaimOutcome.UnderWay);
        (await OutcomeAsync("b")).ShouldBe(StartClaimOutcome.Started);
        (await OutcomeAsync("c")).ShouldBe(StartClaimOutcome.Started);
        (await OutcomeAsync("a")).ShouldBe(StartClaimOutcome.Claimed);

        async Task StartAsync(string name)
        {
            var key = Key(name, "body");
            await store.ClaimStartAsync(key, TestEnds);
            await CreateAsync(store, key);
        }

        async Task<StartClaimOutcome> OutcomeAsync(string name) => (await store.ClaimStartAsync(Key(name, "body"), TestEnds)).Outcome;
    }

    private static StartKey Key(string name, string fingerprint) =>
        new StartKey { Name = name, Fingerprint = fingerprint, Request = Guid.NewGuid() };

    private static async Task CreateAsync(RunStore store, StartKey start) =>
        await store.CreateAsync(new NewRun { Id = Guid.NewGuid().ToString("N"), Epoch = "abcdefgh", Start = start }, TestEnds);

    private MemoryRunStore Open(PerennialServerOptions options) => _store = new MemoryRunStore(Options.Create(options), _time);
}
