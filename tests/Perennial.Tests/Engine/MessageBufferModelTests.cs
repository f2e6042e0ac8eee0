using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Perennial.Diagnostics;
using Perennial.Engine;

namespace Perennial.Tests.Engine;

/// <summary>The buffer against a list: whatever happens in whatever order, both hold the same messages and say the same.</summary>
public class MessageBufferModelTests
{
    private enum Step
    {
        Append,
        Read,
        ReadAll,
        Pause,
        Resume,
        End,
    }

    [Theory]
    [InlineData(BufferFullMode.Block)]
    [InlineData(BufferFullMode.DropOldest)]
    [InlineData(BufferFullMode.DropNewest)]
    [InlineData(BufferFullMode.Unlimited)]
    public void Any_schedule_leaves_exactly_the_messages_the_mode_promises(BufferFullMode mode)
    {
        var steps = Gen.Frequency(
            (6, Gen.Choose(1, 9).Select(static count => (Step.Append, count))),
            (5, Gen.Choose(1, 5).Select(static count => (Step.Read, count))),
            (1, Gen.Constant((Step.ReadAll, 0))),
            (1, Gen.Constant((Step.Pause, 0))),
            (2, Gen.Constant((Step.Resume, 0))),
            (1, Gen.Constant((Step.End, 0))));
        var runs = from capacity in Gen.Choose(1, 7)
                   from mark in Gen.Elements(0.01, 0.5, 0.8, 1.0)
                   from schedule in steps.ListOf(60)
                   select (capacity, mark, schedule);

        Prop.ForAll(runs.ToArbitrary(), run => Check(mode, run.capacity, run.mark, run.schedule))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    private static void Check(BufferFullMode mode, int capacity, double mark, IEnumerable<(Step Step, int Count)> schedule)
    {
        var options = new BufferOptions { Capacity = capacity, FullMode = mode, HighWaterMark = mark };
        var buffer = new MessageBuffer(options, new MetricsRecorder("test", TimeProvider.System), static _ => { });
        var model = new Model(options);
        var next = 0;
        foreach (var (step, count) in schedule)
        {
            switch (step)
            {
                case Step.Append when !model.Ended:
                    var texts = Enumerable.Range(next, count).Select(static i => i.ToString(CultureInfo.InvariantCulture)).ToArray();
                    var dealtWith = buffer.Append([.. texts.Select(static text => StreamMessage.FromText(text))], 0);
                    dealtWith.ShouldBe(model.Append(texts));
                    next += dealtWith;
                    break;
                case Step.Read or Step.ReadAll:
                    for (var i = 0; step == Step.ReadAll ? model.CanRead : i < count; i++)
                    {
                        var isRead = buffer.TryRead(out var message);
                        (isRead ? message.Text : null).ShouldBe(model.Read());
                    }

                    break;
                case Step.Pause:
                    buffer.Pause(timestamp: 0);
                    model.Paused = true;
                    break;
                case Step.Resume:
                    buffer.Resume();
                    model.Paused = false;
                    break;
                case Step.End:
                    buffer.End(StreamEnd.Completed);
                    model.Ended = true;
                    break;
            }

            buffer.Size.ShouldBe(model.Waiting.Count);
            buffer.Dropped.ShouldBe(model.Dropped);
            buffer.WaitForRoomAsync(CancellationToken.None).IsCompleted.ShouldBe(model.HasRoom);
            while (buffer.TryTakeNotice(out var notice))
            {
                model.Take(notice);
            }

            model.Announced.ShouldBe(model.Dropped);
            model.SaidAbove.ShouldBe(model.IsAbove);
        }
    }

    private sealed class Model(BufferOptions options)
    {
        public List<string> Waiting { get; } = [];

        public bool Paused { get; set; }

        public bool Ended { get; set; }

        public long Dropped { get; private set; }

        public long Announced { get; private set; }

        public bool SaidAbove { get; private set; }

        public bool IsAbove => Waiting.Count >= options.MarkSize;

        public bool CanRead => !Paused && Waiting.Count > 0;

        public bool HasRoom => !Paused && !(options.FullMode == BufferFullMode.Block && Waiting.Count >= options.Capacity);

        public int Append(string[] texts)
        {
            var dealtWith = 0;
            foreach (var text in Paused ? [] : texts)
            {
                if (Waiting.Count == options.Capacity)
                {
                    switch (options.FullMode)
                    {
                        case BufferFullMode.Block:
                            return dealtWith;
                        case BufferFullMode.DropNewest:
                            Dropped++;
                            dealtWith++;
                            continue;
                        case BufferFullMode.DropOldest:
                            Dropped++;
                            Waiting.RemoveAt(0);
                            break;
                    }
                }

                Waiting.Add(text);
                dealtWith++;
            }

            return dealtWith;
        }

        public string? Read()
        {
            if (!CanRead)
            {
                return null;
            }

            var first = Waiting[0];
            Waiting.RemoveAt(0);
            return first;
        }

        public void Take(BufferNotice notice)
        {
            if (notice.Kind == BufferNoticeKind.Dropped)
            {
                Announced += notice.Count;
                return;
            }

            SaidAbove.ShouldBe(notice.Kind == BufferNoticeKind.Drained, "crossings alternate");
            SaidAbove = notice.Kind == BufferNoticeKind.Backpressure;
        }
    }
}
