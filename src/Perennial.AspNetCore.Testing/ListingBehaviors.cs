using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Testing;

/// <summary>How runs keep their owner, key and metadata, and are found by them.</summary>
internal static class ListingBehaviors
{
    public static IReadOnlyList<RunStoreBehavior> All { get; } =
    [
        new("A run keeps its owner, key and metadata, also after its end", KeepAsync),
        new("The runs of an owner are listed, newest first, page by page", ListAsync),
        new("A forgotten run is not listed", ForgetAsync),
        new("A key finds its newest open run", FindByKeyAsync),
        new("A run that is refused is neither listed nor found by its key", RefuseAsync),
    ];

    private static async Task KeepAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var full = new RunDescription
        {
            Owner = "Zoë \"the owner\" 😀",
            Key = "chat/1' OR 1=1 --",
            ResumeWith = "chat",
            Metadata = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["title"] = "Wie spät? \n{}",
                [" "] = "",
                ["Title"] = "\u2028",
            },
        };
        foreach (var description in (RunDescription[])[RunDescription.None, new() { Owner = "o" }, new() { Key = "k" }, new() { ResumeWith = "r" }, full])
        {
            var created = await trial.CreateAsync(store, description: description);
            ExpectKept(description, created, "The created run");
            ExpectKept(description, await trial.FindAsync(store, created), "The run that was found");

            await trial.CloseAsync(created, RunEnd.Completed);
            ExpectKept(description, await trial.FindAsync(store, created), "The run after its end");
        }

        var listed = (await store.FindByOwnerAsync(full.Owner, 10, before: null, trial.Token)).Runs;
        Expect.Equal(1, listed.Count, "The runs of the owner");
        ExpectKept(full, listed[0], "The run in the list");
    }

    private static async Task ListAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var runs = new List<RunLog>();
        for (var n = 0; n < 5; n++)
        {
            runs.Add(await CreateAsync(trial, store, owner: "ann"));
            await CreateAsync(trial, store, owner: n == 0 ? "Ann" : "bob");
            await trial.CreateAsync(store);
        }

        await trial.CloseAsync(runs[1], RunEnd.Completed);
        var newestFirst = runs.AsEnumerable().Reverse().Select(static run => run.Id);

        Expect.Sequence(newestFirst, await IdsAsync(trial, store, "ann", pageSize: 100), "The runs in one page");
        Expect.Sequence(newestFirst, await IdsAsync(trial, store, "ann", pageSize: 2), "The runs in pages of two");
        Expect.Sequence(newestFirst, await IdsAsync(trial, store, "ann", pageSize: 5), "The runs in a page that they fill");
        foreach (var stranger in (string[])["nobody", "", "zero\0byte", "half \ud83c", new string('x', 10_000)])
        {
            var page = await store.FindByOwnerAsync(stranger, 10, before: null, trial.Token);
            Expect.Equal((0, null), (page.Runs.Count, page.Next), $"The runs of an owner of {stranger.Length} characters without runs");
        }

        var open = (await store.FindByOwnerAsync("ann", 1, before: null, trial.Token)).Runs[0];
        await trial.AppendAsync(runs[4], "event");
        Expect.Equal(1L, (await trial.StateAsync(open)).Tail, "The tail of an open run from the list");
    }

    private static async Task ForgetAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync(new() { FinishedRunRetention = TimeSpan.Zero });
        var (ended, open) = (await CreateAsync(trial, store, owner: "ann"), await CreateAsync(trial, store, owner: "ann"));

        await trial.CloseAsync(ended, RunEnd.Completed);

        await trial.UntilForgottenAsync(store, ended);
        Expect.Sequence([open.Id], await IdsAsync(trial, store, "ann", pageSize: 10), "The runs that are listed");
    }

    private static async Task FindByKeyAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var (older, newer) = (await CreateAsync(trial, store, key: "chat"), await CreateAsync(trial, store, key: "chat"));
        await CreateAsync(trial, store, key: "Chat");
        await CreateAsync(trial, store, owner: "chat");
        await ExpectAsync("chat", newer);

        await trial.CloseAsync(newer, RunEnd.Completed);
        await ExpectAsync("chat", older);

        await trial.CloseAsync(older, RunEnd.Stopped);
        await ExpectAsync("chat", run: null);
        foreach (var unknown in (string[])["", "zero\0byte", "half \ud83c", new string('x', 10_000)])
        {
            await ExpectAsync(unknown, run: null);
        }

        async Task ExpectAsync(string key, RunLog? run) => Expect.Equal(
            run?.Id, (await store.FindByKeyAsync(key, trial.Token))?.Id, $"The open run with a key of {key.Length} characters");
    }

    private static async Task RefuseAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var described = new RunDescription { Owner = "ann", Key = "chat" };
        var claim = RunStoreTrial.Key("k", "body");

        await Expect.ThrowsAsync<RunStoreException>(
            () => trial.CreateAsync(store, start: claim, description: described), "Creating a run without having the key of its start");

        Expect.Equal(0, (await store.FindByOwnerAsync("ann", 10, before: null, trial.Token)).Runs.Count, "The runs of the owner");
        Expect.That(await store.FindByKeyAsync("chat", trial.Token) is null, "The run that was refused is found by its key.");
    }

    private static Task<RunLog> CreateAsync(RunStoreTrial trial, RunStore store, string? owner = null, string? key = null) =>
        trial.CreateAsync(store, description: new RunDescription { Owner = owner, Key = key });

    private static async Task<List<string>> IdsAsync(RunStoreTrial trial, RunStore store, string owner, int pageSize)
    {
        var ids = new List<string>();
        long? next = null;
        do
        {
            var page = await store.FindByOwnerAsync(owner, pageSize, next, trial.Token);
            Expect.That(page.Runs.Count <= pageSize, $"A page has {page.Runs.Count} runs where {pageSize} are allowed.");
            ids.AddRange(page.Runs.Select(static run => run.Id));
            next = page.Next;
        }
        while (next is not null);
        return ids;
    }

    private static void ExpectKept(RunDescription expected, RunLog run, string what) => Expect.That(
        expected.Equals(run.Description), $"{what} has not the owner, the key and the metadata with which it was created.");
}
