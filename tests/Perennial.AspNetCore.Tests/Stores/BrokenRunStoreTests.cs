using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Testing;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>The behaviors find what is wrong with stores that are broken on purpose, each in one way.</summary>
public sealed class BrokenRunStoreTests
{
    public static TheoryData<string, string, string> Cases => new()
    {
        { nameof(ForgetsRepetitions), "A message with a key is taken once, and one without a name each time", "Its repetition: expected Repeated, was Accepted." },
        { nameof(ForgetsRepetitions), "Of many repetitions at once one is taken", "Messages that were accepted: expected 1, was 16." },
        { nameof(SkipsRecords), "Events are read as they were appended", "Records: as number 4 of 4 expected 4:" },
        { nameof(SkipsRecords), "Readers who wait for news miss and repeat nothing", "The sequence of a record: expected 4, was 5." },
        { nameof(WakesNobody), "Readers who wait for news miss and repeat nothing", "it was not shown within 1 s." },
        { nameof(WakesNobody), "The end is news to the producer", "it was not shown within 1 s." },
        { nameof(LetsTheLastEndWin), "The first end wins and is the last record", "The second close: expected Failed, was Completed." },
        { nameof(LetsTheLastEndWin), "A close that was cancelled can be repeated", "The state after a close that was cancelled and another" },
        { nameof(RepeatsCancelledAppends), "An end survives an append that was cancelled", "Records: as number 2 of 2 expected (2, [DONE]), was (2, two)." },
        { nameof(ReusesSlices), "A slice that was read does not change", "Records of the slice: as number 1 of 2 expected one, was later." },
        { nameof(LosesTheOrder), "Appends are recorded in the order of the calls and before a close that follows", "expected 1, was 2." },
        { nameof(ForgetsTheDialect), "A run keeps its dialect", "The dialect of the created run: expected openai-chat" },
        { nameof(GivesKeysToAll), "Of many requests at once one has the key", "Requests that have the key: expected 1, was 20." },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task It_is_found(string store, string behavior, string finding)
    {
        await using var harness = new BrokenHarness(store);

        var error = await Should.ThrowAsync<BehaviorException>(
            () => RunStoreBehaviors.Named(behavior).RunAsync(harness, TestContext.Current.CancellationToken));

        error.Message.ShouldStartWith($"{behavior}: ");
        error.Message.ShouldContain(finding);
    }

    [Fact]
    public void Behaviors_have_names_of_their_own()
    {
        RunStoreBehaviors.All.Select(static behavior => behavior.Name).ShouldBeUnique();
        Should.Throw<ArgumentException>(
            static () => RunStoreBehaviors.Named("It flies")).Message.ShouldContain("The first end wins and is the last record");
    }

    private sealed class BrokenHarness(string store) : MemoryStoreHarness
    {
        public override TimeSpan Patience => store is nameof(WakesNobody) ? TimeSpan.FromSeconds(1) : base.Patience;

        public override async Task<RunStore> OpenAsync(PerennialServerOptions options, CancellationToken cancellationToken) =>
            Break(store, await base.OpenAsync(options, cancellationToken));

        private static RunStore Break(string store, RunStore inner) => store switch
        {
            nameof(GivesKeysToAll) => new GivesKeysToAll(inner),
            nameof(ForgetsRepetitions) => new BrokenLogs(inner, static log => new ForgetsRepetitions(log)),
            nameof(SkipsRecords) => new BrokenLogs(inner, static log => new SkipsRecords(log)),
            nameof(WakesNobody) => new BrokenLogs(inner, static log => new WakesNobody(log)),
            nameof(LetsTheLastEndWin) => new BrokenLogs(inner, static log => new LetsTheLastEndWin(log)),
            nameof(RepeatsCancelledAppends) => new BrokenLogs(inner, static log => new RepeatsCancelledAppends(log)),
            nameof(ReusesSlices) => new BrokenLogs(inner, static log => new ReusesSlices(log)),
            nameof(ForgetsTheDialect) => new BrokenLogs(inner, static log => new ForgetsTheDialect(log)),
            nameof(LosesTheOrder) => new BrokenLogs(inner, static log => new LosesTheOrder(log)),
            _ => throw new ArgumentOutOfRangeException(nameof(store), store, "No such store."),
        };
    }

    private sealed class BrokenLogs(RunStore inner, Func<RunLog, RunLog> wrap) : PassingStore(inner)
    {
        protected override RunLog Wrap(RunLog log) => wrap(log);

        protected override RunLog WrapFound(RunLog log) => wrap(log);
    }

    private sealed class GivesKeysToAll(RunStore inner) : PassingStore(inner)
    {
        public override ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken) =>
            ValueTask.FromResult(new StartClaim { Outcome = StartClaimOutcome.Claimed });
    }

    private sealed class ForgetsTheDialect(RunLog inner) : PassingLog(inner)
    {
        public override string? Dialect => null;
    }

    private sealed class ForgetsRepetitions(RunLog inner) : PassingLog(inner)
    {
        public override ValueTask<ReceiveResult> ReceiveAsync(RunMessage message, CancellationToken cancellationToken) =>
            base.ReceiveAsync(message with { Key = null }, cancellationToken);
    }

    private sealed class SkipsRecords(RunLog inner) : PassingLog(inner)
    {
        public override async ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken)
        {
            var slice = await base.ReadAsync(after, maxBytes, cancellationToken);
            return slice with { Records = slice.Records.ToArray().Where(static record => record.Sequence != 4).ToArray() };
        }
    }

    private sealed class WakesNobody(RunLog inner) : PassingLog(inner)
    {
        public override IDisposable Subscribe(RunNews news, RunSignal signal) => base.Subscribe(news, new RunSignal());
    }

    private sealed class LetsTheLastEndWin(RunLog inner) : PassingLog(inner)
    {
        public override async ValueTask<RunStatus> CloseAsync(RunEnd ending, CancellationToken cancellationToken)
        {
            await base.CloseAsync(ending, cancellationToken);
            return ending.Status;
        }
    }

    private sealed class RepeatsCancelledAppends(RunLog inner) : PassingLog(inner)
    {
        public override async ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                await base.AppendAsync(item, CancellationToken.None);
            }

            return await base.AppendAsync(item, CancellationToken.None);
        }
    }

    /// <summary>Overwrites the records that were read last with the newest record.</summary>
    private sealed class ReusesSlices(RunLog inner) : PassingLog(inner)
    {
        private RunRecord[] _slice = [];

        public override async ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken)
        {
            var slice = await base.ReadAsync(after, maxBytes, cancellationToken);
            _slice = slice.Records.ToArray();
            return slice with { Records = _slice };
        }

        public override async ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken)
        {
            var result = await base.AppendAsync(item, cancellationToken);
            Array.Fill(_slice, new RunRecord(Epoch, result.Sequence, item));
            return result;
        }
    }

    /// <summary>Records every other event after the one that follows it.</summary>
    private sealed class LosesTheOrder(RunLog inner) : PassingLog(inner)
    {
        private readonly Queue<(RunEvent Item, TaskCompletionSource<AppendResult> Result)> _held = new();

        public override async ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken)
        {
            if (_held.TryDequeue(out var before))
            {
                var result = await base.AppendAsync(item, cancellationToken);
                before.Result.SetResult(await base.AppendAsync(before.Item, cancellationToken));
                return result;
            }

            var held = new TaskCompletionSource<AppendResult>(TaskCreationOptions.RunContinuationsAsynchronously);
            _held.Enqueue((item, held));
            return await held.Task;
        }
    }
}
