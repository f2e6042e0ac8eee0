using Perennial.Testing;
using Perennial.Transports.Tests.Harnesses;

namespace Perennial.Transports.Tests.Suite;

/// <summary>The suite finds what is wrong with transports that are broken on purpose, each in one way.</summary>
public class BrokenTransportTests
{
    public static TheoryData<string, string, string> Cases => new()
    {
        { nameof(IgnoresTheId), "A cut loses and repeats nothing", "Messages written during a cut: as number 1 of 5 expected 11, was 1." },
        { nameof(IgnoresTheId), "Many cuts at random lose and repeat nothing", "Messages read over" },
        { nameof(IgnoresTheId), "A resume point goes on in another transport", "as number 1 of 5 expected 6, was 1." },
        { nameof(IgnoresTheId), "A closed transport can be started again", "as number 1 of 2 expected 4, was 1." },
        { nameof(SkipsOne), "A cut loses and repeats nothing", "5 messages are read. Read so far: 12 13 14 15." },
        { nameof(CallsACutACompletion), "A cut is no completion", "Reading the stream: expected TransportException, but it succeeded." },
        { nameof(CallsACutACompletion), "A cut loses and repeats nothing", "It did not happen" },
        { nameof(CallsCloseACompletion), "A cut is no completion", "Reading the stream: expected TransportException, but it succeeded." },
        { nameof(NeverCloses), "Disposing leaves nothing on the server and can be repeated", "the server holds no connection any more" },
        { nameof(NeverCloses), "Closing ends the stream as closed and leaves nothing on the server", "the server holds no connection any more" },
        { nameof(Reorders), "Messages arrive once and in order, and then the stream completes", "as number 1 of 200 expected 1, was 2." },
        { nameof(Drops), "A slow reader holds back the sender, within the buffer, and loses nothing", "messages were handed over" },
        { nameof(HasNoLimit), "A message beyond the largest size ends the stream and is not retried", "It did not happen" },
        { nameof(GivesUp), "An absent server gives transient errors until the attempts are exhausted", "expected AttemptsExhausted, was ConnectFailed." },
        { nameof(GivesUp), "A transport recovers when the server comes back", "ReconnectingEvent number 2 is raised" },
        { nameof(HidesGaps), "A cut is announced as a gap where the stream cannot be resumed exactly", "GapEvent number 1 is raised" },
        { nameof(LosesSends), "Sends arrive in order, with the outcome that is promised", "the server takes all sends" },
        { nameof(LosesSends), "Sends over cuts never arrive twice, and their outcomes are true", "was acknowledged, but it did not arrive." },
        { nameof(RepeatsSends), "Sends over cuts never arrive twice, and their outcomes are true", "arrived 2 times." },
        { nameof(RepeatsSends), "Sends arrive in order, with the outcome that is promised", "as number 2 of 100 expected 2, was 1." },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task It_is_found(string transport, string behavior, string finding)
    {
        await using var harness = Broken(transport);

        var error = await Should.ThrowAsync<BehaviorException>(
            () => TransportBehaviors.Named(behavior).RunAsync(harness, TestContext.Current.CancellationToken));

        error.Message.ShouldStartWith(behavior);
        error.Message.ShouldContain(finding);
        error.Message.ShouldEndWith($"(seed {harness.Seed})");
    }

    [Fact]
    public void Behaviors_have_names_of_their_own()
    {
        TransportBehaviors.All.Select(static behavior => behavior.Name).ShouldBeUnique();
        Should.Throw<ArgumentException>(static () => TransportBehaviors.Named("It flies")).Message.ShouldContain("A cut is no completion");
    }

    private static InMemoryHarness Broken(string name) => name switch
    {
        nameof(IgnoresTheId) => new IgnoresTheId(),
        nameof(SkipsOne) => new SkipsOne(),
        nameof(CallsACutACompletion) => new CallsACutACompletion(),
        nameof(CallsCloseACompletion) => new CallsCloseACompletion(),
        nameof(NeverCloses) => new NeverCloses(),
        nameof(Reorders) => new Reorders(),
        nameof(Drops) => new Drops(),
        nameof(HasNoLimit) => new HasNoLimit(),
        nameof(GivesUp) => new GivesUp(),
        nameof(HidesGaps) => new HidesGaps(),
        nameof(LosesSends) => new LosesSends(),
        nameof(RepeatsSends) => new RepeatsSends(),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No such transport."),
    };

    private class BrokenHarness : InMemoryHarness
    {
        public override TimeSpan Patience => TimeSpan.FromSeconds(4);
    }

    private sealed class IgnoresTheId : BrokenHarness
    {
        protected override int PositionOf(string? lastEventId) => 0;
    }

    private sealed class SkipsOne : BrokenHarness
    {
        protected override int PositionOf(string? lastEventId) => base.PositionOf(lastEventId) + (lastEventId is null ? 0 : 1);
    }

    private sealed class CallsACutACompletion : BrokenHarness
    {
        protected override void Cut(InMemoryConnection connection, CutMode how) => connection.Finish(ReadOutcome.Completed);
    }

    private sealed class CallsCloseACompletion : BrokenHarness
    {
        protected override EndOfStreamPolicy EndOfStream => EndOfStreamPolicy.Complete;
    }

    private sealed class NeverCloses : BrokenHarness
    {
        protected override ValueTask CloseAsync(InMemoryConnection connection) => new(new TaskCompletionSource().Task);
    }

    private sealed class Reorders : BrokenHarness
    {
        private string? _held;

        protected override void Say(InMemoryConnection connection, int position, string text)
        {
            if (_held is null)
            {
                _held = text;
            }
            else
            {
                base.Say(connection, position - 1, text);
                base.Say(connection, position, _held);
                _held = null;
            }
        }
    }

    private sealed class Drops : BrokenHarness
    {
        public override Transport CreateTransport(TransportSetup setup) =>
            base.CreateTransport(setup with { Buffer = setup.Buffer with { FullMode = BufferFullMode.DropOldest } });
    }

    private sealed class HasNoLimit : BrokenHarness
    {
        public override Transport CreateTransport(TransportSetup setup) => base.CreateTransport(setup with { MaxMessageBytes = null });
    }

    private sealed class GivesUp : BrokenHarness
    {
        protected override TransportException Refusal() => new(TransportErrorCode.ConnectFailed, "Refused by the test.");
    }

    private sealed class HidesGaps : BrokenHarness
    {
        public override TransportTraits Traits { get; } = new();

        protected override int PositionOf(string? lastEventId) => int.MaxValue;
    }

    private sealed class LosesSends : BrokenHarness
    {
        private int _count;

        protected override void Take(string text)
        {
            if (++_count % 10 != 0)
            {
                base.Take(text);
            }
        }
    }

    private sealed class RepeatsSends : BrokenHarness
    {
        protected override void Take(string text)
        {
            base.Take(text);
            base.Take(text);
        }
    }
}
