using System.Text;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Testing;

/// <summary>One run of one behavior: the harness, and short words for what is done with its stores.</summary>
/// <param name="harness">The harness.</param>
/// <param name="cancellationToken">Cancels every call, at the latest when the harness's patience is over.</param>
internal sealed class RunStoreTrial(RunStoreHarness harness, CancellationToken cancellationToken)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(2);

    public CancellationToken Token => cancellationToken;

    public static RunEvent TextEvent(string text) => new RunEvent { Data = Encoding.UTF8.GetBytes(text), Kind = RunDataKind.Text };

    public static RunMessage TextMessage(string text) => new() { Data = Encoding.UTF8.GetBytes(text) };

    public static string TextOf(RunRecord record) => Encoding.UTF8.GetString(record.Content.Data.Span);

    public static StartKey Key(string name, string fingerprint) => new StartKey
    {
        Name = name,
        Fingerprint = fingerprint,
        Request = Guid.NewGuid(),
    };

    public static string NewId() => Guid.NewGuid().ToString("N");

    public Task<RunStore> OpenAsync(PerennialServerOptions? options = null) => harness.OpenAsync(options ?? new(), cancellationToken);

    /// <summary>Opens a store and creates a run in it that takes messages.</summary>
    public async Task<RunLog> OpenRunAsync(PerennialServerOptions? options = null) => await CreateAsync(await OpenAsync(options));

    public async Task<RunLog> CreateAsync(
        RunStore store, string? id = null, bool takesMessages = true, TimeSpan? retention = null, StartKey? start = null,
        RunDescription? description = null)
    {
        var run = new NewRun
        {
            Id = id ?? NewId(),
            Epoch = NewId()[..8],
            TakesMessages = takesMessages,
            Retention = retention,
            Start = start,
            Description = description ?? RunDescription.None,
        };
        return await store.CreateAsync(run, cancellationToken);
    }

    public async Task<RunLog> FindAsync(RunStore store, RunLog run)
    {
        var found = await store.FindAsync(run.Id, cancellationToken);
        Expect.That(found is not null, "A run that was created is not found.");
        return found;
    }

    public async Task AppendAsync(RunLog run, string text) =>
        Expect.Equal(AppendOutcome.Appended, (await run.AppendAsync(TextEvent(text), cancellationToken)).Outcome, $"Appending \"{text}\"");

    public async Task<RunStatus> CloseAsync(RunLog run, RunEnd ending) => await run.CloseAsync(ending, cancellationToken);

    public async Task<RunState> StateAsync(RunLog run) => await run.GetStateAsync(cancellationToken);

    public async Task<RunRecord[]> ReadAsync(RunLog run, long after = 0, int maxBytes = int.MaxValue) =>
        (await run.ReadAsync(after, maxBytes, cancellationToken)).Records.ToArray();

    public async Task<ReceiveResult> ReceiveAsync(RunLog run, RunMessage message) => await run.ReceiveAsync(message, cancellationToken);

    public async Task ExpectReceiptAsync(RunLog run, RunMessage message, ReceiveOutcome outcome, string what) =>
        Expect.Equal(outcome, (await ReceiveAsync(run, message)).Outcome, what);

    public async Task<string[]> MessageTextsAsync(RunLog run) =>
        [.. (await run.ReadMessagesAsync(0, cancellationToken)).Select(static message => message.Text)];

    public async Task<StartClaim> ClaimAsync(RunStore store, StartKey key) => await store.ClaimStartAsync(key, cancellationToken);

    public Task WaitAsync(RunSignal news) => WaitAsync(news.WaitAsync().AsTask());

    public Task WaitAsync(Task task) => task.WaitAsync(cancellationToken);

    /// <summary>Waits until a run is no longer found.</summary>
    public async Task UntilForgottenAsync(RunStore store, RunLog run)
    {
        while (await store.FindAsync(run.Id, cancellationToken) is not null)
        {
            await Task.Delay(PollInterval, TimeProvider.System, cancellationToken);
        }
    }
}
