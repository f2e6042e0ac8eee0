using Perennial.Diagnostics;
using Perennial.Engine;

namespace Perennial.Tests.EventRaising;

/// <summary>
/// Events and messages come by their place in the stream, whatever happens between the two looks of the dispatcher: at the events that
/// wait, and at the next message. Every interleaving of a writer and a reader is tried.
/// </summary>
public class EventPlaceTests
{
    private static readonly string[] Story = ["connecting", "connected", "1", "reconnecting", "gap", "2", "3", "closed"];

    [Theory]
    [InlineData(BufferFullMode.Block)]
    [InlineData(BufferFullMode.DropOldest)]
    [InlineData(BufferFullMode.Unlimited)]
    public void Every_interleaving_keeps_the_order(BufferFullMode mode)
    {
        var schedules = 0;
        foreach (var schedule in Schedules(writes: Story.Length, looks: 6))
        {
            var run = new Run(mode);
            foreach (var isWrite in schedule)
            {
                run.Step(isWrite);
            }

            run.Finish().ShouldBe(Story, ignoreOrder: false, string.Concat(schedule.Select(static isWrite => isWrite ? 'w' : 'r')));
            schedules++;
        }

        schedules.ShouldBe(3003);
    }

    [Fact]
    public void A_message_behind_an_event_that_came_after_the_look_is_not_delivered_although_older_ones_are_dropped()
    {
        var buffer = new MessageBuffer(
            new BufferOptions { Capacity = 1, FullMode = BufferFullMode.DropOldest },
            new MetricsRecorder("test", TimeProvider.System),
            static _ => { });
        var events = new EventQueue(buffer);
        buffer.Append([StreamMessage.FromText("1")], 0);
        var place = events.NextPlace();

        events.Add("gap");
        buffer.Append([StreamMessage.FromText("2")], 0);

        buffer.TryReadBefore(place, out _).ShouldBeFalse();
        events.TryTakeDue(waitsForMessages: true, out var happened).ShouldBeTrue();
        happened.ShouldBe("gap");
        buffer.TryReadBefore(events.NextPlace(), out var message).ShouldBeTrue();
        message.Text.ShouldBe("2");
    }

    private static IEnumerable<bool[]> Schedules(int writes, int looks)
    {
        if (writes + looks == 0)
        {
            yield return [];
        }

        foreach (var isWrite in (bool[])[true, false])
        {
            if ((isWrite ? writes : looks) == 0)
            {
                continue;
            }

            foreach (var rest in Schedules(writes - (isWrite ? 1 : 0), looks - (isWrite ? 0 : 1)))
            {
                yield return [isWrite, .. rest];
            }
        }
    }

    /// <summary>One writer, and a reader that takes one of its steps at a time: what the dispatcher does, in the same order.</summary>
    private sealed class Run(BufferFullMode mode)
    {
        private readonly MessageBuffer _buffer = new(
            new BufferOptions { Capacity = 10, FullMode = mode }, new MetricsRecorder("test", TimeProvider.System), static _ => { });

        private readonly List<string> _told = [];
        private EventQueue? _events;
        private int _written;
        private int _readerStep;
        private bool _hasRaised;
        private long _place;

        private EventQueue Events => _events ??= new EventQueue(_buffer);

        public void Step(bool isWrite)
        {
            if (isWrite)
            {
                Write();
            }
            else
            {
                Read();
            }
        }

        public List<string> Finish()
        {
            for (var i = 0; i < 10 * Story.Length; i++)
            {
                Read();
            }

            return _told;
        }

        private void Write()
        {
            var next = Story[_written++];
            if (char.IsDigit(next[0]))
            {
                _buffer.Append([StreamMessage.FromText(next)], 0);
            }
            else
            {
                Events.Add(next);
            }
        }

        private void Read()
        {
            switch (_readerStep)
            {
                case 0:
                    _hasRaised = Events.TryTakeDue(waitsForMessages: true, out var happened);
                    if (_hasRaised)
                    {
                        _told.Add((string)happened!);
                    }

                    break;
                case 1 when !_hasRaised:
                    _place = Events.NextPlace();
                    break;
                case 2 when !_hasRaised && _buffer.TryReadBefore(_place, out var message):
                    _told.Add(message.Text);
                    break;
                default:
                    break;
            }

            _readerStep = (_readerStep + 1) % 3;
        }
    }
}
