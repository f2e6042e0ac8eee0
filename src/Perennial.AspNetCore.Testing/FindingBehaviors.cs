using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Testing;

/// <summary>How runs are created and found.</summary>
internal static class FindingBehaviors
{
    public static IReadOnlyList<RunStoreBehavior> All { get; } =
    [
        new("A new run is found, open and empty", FindAsync),
        new("A run keeps its dialect", KeepDialectAsync),
        new("An id that no run has is not found, whatever its text", FindNothingAsync),
        new("An id in use is refused", RefuseAsync),
    ];

    private static async Task FindAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var (id, epoch) = (RunStoreTrial.NewId(), "abcdefgh");

        var created = await store.CreateAsync(new NewRun { Id = id, Epoch = epoch }, trial.Token);
        var found = await trial.FindAsync(store, created);

        Expect.Equal((id, epoch), (created.Id, created.Epoch), "Id and epoch of the created run");
        Expect.Equal((id, epoch), (found.Id, found.Epoch), "Id and epoch of the run that was found");
        var empty = new RunState { Status = RunStatus.Running, Tail = 0, Oldest = 1 };
        Expect.Equal(empty, await trial.StateAsync(found), "The state of a new run");
        var slice = await found.ReadAsync(0, int.MaxValue, trial.Token);
        Expect.Equal((0, empty), (slice.Records.Length, slice.State), "The records of a new run, and its state");
    }

    private static async Task KeepDialectAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        foreach (var dialect in (string?[])[null, "openai-chat", "of the application’s own"])
        {
            var created =
                await store.CreateAsync(new NewRun { Id = RunStoreTrial.NewId(), Epoch = "abcdefgh", Dialect = dialect }, trial.Token);

            Expect.Equal(dialect, created.Dialect, "The dialect of the created run");
            Expect.Equal(dialect, (await trial.FindAsync(store, created)).Dialect, "The dialect of the run that was found");
        }
    }

    private static async Task FindNothingAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        await trial.CreateAsync(store);

        foreach (var id in (string[])["", "no-such-run", "' OR 1=1 --", "zero\0byte", "half \ud83c", new string('x', 10_000)])
        {
            Expect.That(
                await store.FindAsync(id, trial.Token) is null, $"A run was found by an id of {id.Length} characters that no run has.");
        }
    }

    private static async Task RefuseAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var run = await trial.CreateAsync(store);

        await Expect.ThrowsAsync<InvalidOperationException>(() => trial.CreateAsync(store, run.Id), "Creating a run with an id in use");

        Expect.Equal(run.Epoch, (await trial.FindAsync(store, run)).Epoch, "The epoch of the first run");
    }
}
