using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Testing;

/// <summary>How the keys of requests that start runs are claimed.</summary>
internal static class StartBehaviors
{
    public static IReadOnlyList<RunStoreBehavior> All { get; } =
    [
        new("One request has a key, and the others get its run", ClaimAsync),
        new("Of many requests at once one has the key", CompeteAsync),
        new("A released key is free, and only its request can release it", ReleaseAsync),
        new("No run is recorded for a request that does not have its key", RefuseAsync),
    ];

    private static async Task ClaimAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var (first, repeat) = (RunStoreTrial.Key("k", "body"), RunStoreTrial.Key("k", "body"));

        Expect.Equal(new StartClaim { Outcome = StartClaimOutcome.Claimed }, await trial.ClaimAsync(store, first), "The first claim");
        Expect.Equal(new StartClaim { Outcome = StartClaimOutcome.Claimed }, await trial.ClaimAsync(store, first), "The same claim again");
        Expect.Equal(
            new StartClaim { Outcome = StartClaimOutcome.UnderWay }, await trial.ClaimAsync(store, repeat), "The claim of another request");
        var run = await trial.CreateAsync(store, start: first);

        Expect.Equal(
            new StartClaim { Outcome = StartClaimOutcome.Started, RunId = run.Id },
            await trial.ClaimAsync(store, repeat),
            "The claim after the run was recorded");
        await ExpectAsync("k", "another body", StartClaimOutcome.OtherRequest);
        await ExpectAsync("another k", "body", StartClaimOutcome.Claimed);

        async Task ExpectAsync(string name, string fingerprint, StartClaimOutcome outcome) => Expect.Equal(
            outcome,
            (await trial.ClaimAsync(store, RunStoreTrial.Key(name, fingerprint))).Outcome,
            $"The claim of key \"{name}\" with \"{fingerprint}\"");
    }

    private static async Task CompeteAsync(RunStoreTrial trial)
    {
        const int requests = 20;
        var store = await trial.OpenAsync();

        var claims = await Task.WhenAll(Enumerable.Range(0, requests).Select(_ => Task.Run(
            () => trial.ClaimAsync(store, RunStoreTrial.Key("k", "body")), trial.Token)));

        Expect.Equal(1, claims.Count(static claim => claim.Outcome == StartClaimOutcome.Claimed), "Requests that have the key");
        Expect.Equal(requests - 1, claims.Count(static claim => claim.Outcome == StartClaimOutcome.UnderWay), "Requests that wait");
    }

    private static async Task ReleaseAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var (first, other) = (RunStoreTrial.Key("k", "body"), RunStoreTrial.Key("k", "another body"));
        await trial.ClaimAsync(store, first);

        await store.ReleaseStartAsync(other, trial.Token);
        Expect.Equal(
            StartClaimOutcome.OtherRequest,
            (await trial.ClaimAsync(store, other)).Outcome,
            "The claim after another request released the key");
        await store.ReleaseStartAsync(first, trial.Token);

        Expect.Equal(
            StartClaimOutcome.Claimed, (await trial.ClaimAsync(store, other)).Outcome, "The claim after its request released the key");
    }

    private static async Task RefuseAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var (first, repeat) = (RunStoreTrial.Key("k", "body"), RunStoreTrial.Key("k", "body"));
        await trial.ClaimAsync(store, first);
        var id = RunStoreTrial.NewId();

        await Expect.ThrowsAsync<RunStoreException>(
            () => trial.CreateAsync(store, id, start: repeat), "Creating a run without having the key");

        Expect.That(await store.FindAsync(id, trial.Token) is null, "The run that was refused is found.");
        Expect.Equal(StartClaimOutcome.UnderWay, (await trial.ClaimAsync(store, repeat)).Outcome, "The claim after that");
        await trial.CreateAsync(store, id, start: first);
    }
}
