namespace Perennial.AspNetCore.Testing;

/// <summary>How long runs are kept.</summary>
internal static class RetentionBehaviors
{
    public static IReadOnlyList<RunStoreBehavior> All { get; } =
    [
        new("A run is forgotten after its end and not before", ForgetAsync),
        new("A run with a longer retention than others is kept for it", KeepLongerAsync),
        new("A run with a shorter retention than others is forgotten before them", ForgetEarlierAsync),
    ];

    private static async Task ForgetAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync(new() { FinishedRunRetention = TimeSpan.Zero });
        var (ended, open) = (await trial.CreateAsync(store), await trial.CreateAsync(store));

        await trial.CloseAsync(ended, RunEnd.Completed);

        await trial.UntilForgottenAsync(store, ended);
        await trial.FindAsync(store, open);
    }

    private static async Task KeepLongerAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync(new() { FinishedRunRetention = TimeSpan.Zero });
        var (kept, usual) = (await trial.CreateAsync(store, retention: TimeSpan.FromDays(7)), await trial.CreateAsync(store));

        await trial.CloseAsync(kept, RunEnd.Completed);
        await trial.CloseAsync(usual, RunEnd.Completed);

        await trial.UntilForgottenAsync(store, usual);
        await trial.FindAsync(store, kept);
    }

    private static async Task ForgetEarlierAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync(new() { FinishedRunRetention = TimeSpan.FromDays(7) });
        var (brief, usual) = (await trial.CreateAsync(store, retention: TimeSpan.Zero), await trial.CreateAsync(store));

        await trial.CloseAsync(usual, RunEnd.Completed);
        await trial.CloseAsync(brief, RunEnd.Completed);

        await trial.UntilForgottenAsync(store, brief);
        await trial.FindAsync(store, usual);
    }
}
