using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>What every store promises about the keys of requests that start runs.</summary>
public abstract class RunStartContract
{
    private const int Hang = 180_000;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    /// <summary>Opens a store with these options. The test that inherits disposes it.</summary>
    protected abstract Task<IRunStore> OpenAsync(PerennialServerOptions options);

    [Fact(Timeout = Hang)]
    public async Task One_request_has_a_key_and_the_others_get_its_run()
    {
        var store = await OpenAsync(new());
        var (first, repeat) = (Key("k", "body"), Key("k", "body"));

        (await store.ClaimStartAsync(first, TestEnds)).ShouldBe(new StartClaim(StartClaimOutcome.Claimed));
        (await store.ClaimStartAsync(first, TestEnds)).ShouldBe(new StartClaim(StartClaimOutcome.Claimed));
        (await store.ClaimStartAsync(repeat, TestEnds)).ShouldBe(new StartClaim(StartClaimOutcome.UnderWay));
        var run = await CreateAsync(store, first);

        (await store.ClaimStartAsync(repeat, TestEnds)).ShouldBe(new StartClaim(StartClaimOutcome.Started, run.Id));
        (await store.ClaimStartAsync(Key("k", "another body"), TestEnds)).Outcome.ShouldBe(StartClaimOutcome.OtherRequest);
        (await store.ClaimStartAsync(Key("another k", "body"), TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Claimed);
    }

    [Fact(Timeout = Hang)]
    public async Task Of_many_requests_at_once_one_has_the_key()
    {
        var store = await OpenAsync(new());

        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () => await store.ClaimStartAsync(Key("k", "body"), TestEnds))));

        claims.Count(claim => claim.Outcome == StartClaimOutcome.Claimed).ShouldBe(1);
        claims.Count(claim => claim.Outcome == StartClaimOutcome.UnderWay).ShouldBe(19);
    }

    [Fact(Timeout = Hang)]
    public async Task A_released_key_is_free_for_any_request_and_nobody_else_can_release_it()
    {
        var store = await OpenAsync(new());
        var (first, other) = (Key("k", "body"), Key("k", "another body"));
        await store.ClaimStartAsync(first, TestEnds);

        await store.ReleaseStartAsync(other, TestEnds);
        (await store.ClaimStartAsync(other, TestEnds)).Outcome.ShouldBe(StartClaimOutcome.OtherRequest);
        await store.ReleaseStartAsync(first, TestEnds);

        (await store.ClaimStartAsync(other, TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Claimed);
    }

    [Fact(Timeout = Hang)]
    public async Task No_run_is_recorded_for_a_request_that_does_not_have_the_key()
    {
        var store = await OpenAsync(new());
        var (first, repeat) = (Key("k", "body"), Key("k", "body"));
        await store.ClaimStartAsync(first, TestEnds);
        var id = Guid.NewGuid().ToString("N");

        await Should.ThrowAsync<RunStoreException>(() => CreateAsync(store, repeat, id));

        (await store.FindAsync(id, TestEnds)).ShouldBeNull();
        (await store.ClaimStartAsync(repeat, TestEnds)).Outcome.ShouldBe(StartClaimOutcome.UnderWay);
        await CreateAsync(store, first, id);
    }

    internal static StartKey Key(string name, string fingerprint) => new(name, fingerprint, Guid.NewGuid());

    internal static async Task<IRunLog> CreateAsync(IRunStore store, StartKey start, string? id = null) =>
        await store.CreateAsync(new NewRun(id ?? Guid.NewGuid().ToString("N"), Guid.NewGuid().ToString("N")[..8]) { Start = start }, TestEnds);
}
