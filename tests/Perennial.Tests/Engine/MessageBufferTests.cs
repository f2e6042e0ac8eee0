using System.Globalization;
using System.Runtime.CompilerServices;
using Perennial.Diagnostics;
using Perennial.Engine;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Engine;

public class MessageBufferTests
{
    private int _noticed;

    [Theory]
    [InlineData(BufferFullMode.Block, "1 2 3", 3)]
    [InlineData(BufferFullMode.DropOldest, "3 4 5", 5)]
    [InlineData(BufferFullMode.DropNewest, "1 2 3", 5)]
    [InlineData(BufferFullMode.Unlimited, "1 2 3 4 5", 5)]
    public void A_batch_larger_than_the_capacity_is_dealt_with_as_the_mode_says(BufferFullMode mode, string kept, int dealtWith)
    {
        var buffer = New(3, mode);

        buffer.Append(Messages(1, 5), 0).ShouldBe(dealtWith);

        Drain(buffer).ShouldBe(kept.Split(' '));
        buffer.Dropped.ShouldBe(dealtWith - kept.Split(' ').Length);
    }

    [Fact]
    public void A_capacity_of_one_holds_one()
    {
        var buffer = New(1, BufferFullMode.Block);

        buffer.Append(Messages(1, 2), 0).ShouldBe(1);
        buffer.Append(Messages(2, 2), 0).ShouldBe(0);
        buffer.TryRead(out var message).ShouldBeTrue();
        buffer.Append(Messages(2, 2), 0).ShouldBe(1);

        message.Text.ShouldBe("1");
        Drain(buffer).ShouldBe(["2"]);
    }

    [Fact]
    public async Task A_writer_waits_for_room_until_half_of_it_is_free()
    {
        var buffer = New(4, BufferFullMode.Block);
        buffer.Append(Messages(1, 4), 0);
        var room = buffer.WaitForRoomAsync(CancellationToken.None).AsTask();

        buffer.TryRead(out _);
        room.IsCompleted.ShouldBeFalse();
        buffer.TryRead(out _);

        await room.Soon();
    }

    [Fact]
    public async Task Waiting_for_room_ends_when_it_is_cancelled()
    {
        var buffer = New(1, BufferFullMode.Block);
        buffer.Append(Messages(1, 1), 0);
        using var cancel = new CancellationTokenSource();
        var room = buffer.WaitForRoomAsync(cancel.Token).AsTask();

        await cancel.CancelAsync();

        await room.Soon().ShouldThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task Waiting_for_a_message_ends_when_it_is_cancelled_and_can_begin_again()
    {
        var buffer = New(4, BufferFullMode.Block);
        using var cancel = new CancellationTokenSource();
        var wait = buffer.WaitToReadAsync(cancel.Token).AsTask();

        await cancel.CancelAsync();

        (await wait.Soon().ShouldThrowAsync<OperationCanceledException>()).CancellationToken.ShouldBe(cancel.Token);
        await buffer.WaitToReadAsync(cancel.Token).AsTask().Soon().ShouldThrowAsync<OperationCanceledException>();
        var again = buffer.WaitToReadAsync(CancellationToken.None);
        buffer.Append(Messages(1, 1), 0);
        (await again.Soon()).ShouldBeNull();
        Drain(buffer).ShouldBe(["1"]);
    }

    [Theory]
    [InlineData(BufferFullMode.Block)]
    [InlineData(BufferFullMode.DropOldest)]
    public async Task The_end_comes_after_everything_that_waits(BufferFullMode mode)
    {
        var buffer = New(4, mode);
        buffer.Append(Messages(1, 2), 0);
        buffer.End(StreamEnd.Completed);

        (await buffer.WaitToReadAsync(CancellationToken.None).Soon()).ShouldBeNull();
        Drain(buffer).ShouldBe(["1", "2"]);
        (await buffer.WaitToReadAsync(CancellationToken.None).Soon()).ShouldBe(StreamEnd.Completed);
    }

    [Fact]
    public async Task A_reader_that_waits_is_told_of_the_end_even_if_the_buffer_is_opened_again_at_once()
    {
        var buffer = New(4, BufferFullMode.Block);
        var wait = buffer.WaitToReadAsync(CancellationToken.None);

        buffer.End(StreamEnd.ClosedByCaller);
        buffer.Reopen();

        (await wait.Soon()).ShouldBe(StreamEnd.ClosedByCaller);
        buffer.WaitToReadAsync(CancellationToken.None).IsCompleted.ShouldBeFalse();
    }

    [Theory]
    [InlineData(BufferFullMode.Block)]
    [InlineData(BufferFullMode.DropOldest)]
    [InlineData(BufferFullMode.DropNewest)]
    [InlineData(BufferFullMode.Unlimited)]
    public async Task A_pause_hands_out_nothing_takes_nothing_and_drops_nothing(BufferFullMode mode)
    {
        var buffer = New(2, mode);
        buffer.Append(Messages(1, 2), 0);
        buffer.Pause(timestamp: 0);

        buffer.TryRead(out _).ShouldBeFalse();
        var message = buffer.WaitToReadAsync(CancellationToken.None).AsTask();
        buffer.Append(Messages(3, 4), 0).ShouldBe(0);
        var room = buffer.WaitForRoomAsync(CancellationToken.None).AsTask();
        message.IsCompleted.ShouldBeFalse();
        room.IsCompleted.ShouldBeFalse();
        buffer.Resume();

        (await message.Soon()).ShouldBeNull();
        await room.Soon();
        Drain(buffer).ShouldBe(["1", "2"]);
        buffer.Dropped.ShouldBe(0);
    }

    [Fact]
    public async Task What_is_discarded_is_not_handed_out_and_the_end_is()
    {
        var buffer = New(4, BufferFullMode.Block);
        buffer.Append(Messages(1, 2), 0);
        buffer.Discard();
        var wait = buffer.WaitToReadAsync(CancellationToken.None);

        buffer.TryRead(out _).ShouldBeFalse();
        buffer.Size.ShouldBe(0);
        buffer.End(StreamEnd.ClosedByCaller);

        (await wait.Soon()).ShouldBe(StreamEnd.ClosedByCaller);
    }

    [Fact]
    public async Task A_wake_up_before_the_wait_ends_the_wait()
    {
        var buffer = New(4, BufferFullMode.Block);

        buffer.WakeReader();

        (await buffer.WaitToReadAsync(CancellationToken.None).Soon()).ShouldBeNull();
        buffer.WaitToReadAsync(CancellationToken.None).IsCompleted.ShouldBeFalse();
    }

    [Theory]
    [InlineData(BufferFullMode.Block)]
    [InlineData(BufferFullMode.DropOldest)]
    [InlineData(BufferFullMode.DropNewest)]
    [InlineData(BufferFullMode.Unlimited)]
    public void Crossings_of_the_mark_are_announced_in_turn(BufferFullMode mode)
    {
        var buffer = New(10, mode, mark: 0.5);
        var notices = new List<BufferNotice>();
        for (var round = 0; round < 3; round++)
        {
            buffer.Append(Messages(1, 4), 0);
            Take();
            buffer.Append(Messages(5, 7), 0);
            Take();
            buffer.TryRead(out _);
            Take();
            Drain(buffer);
            Take();
        }

        notices.Select(static notice => (notice.Kind, notice.Size)).ShouldBe(
            Enumerable.Repeat(
                new[] { (BufferNoticeKind.Backpressure, 7), (BufferNoticeKind.Drained, 4) }, 3).SelectMany(static pair => pair));
        _noticed.ShouldBe(6);

        void Take()
        {
            while (buffer.TryTakeNotice(out var notice))
            {
                notices.Add(notice);
            }
        }
    }

    [Fact]
    public void Crossings_that_nobody_fetches_cancel_out_and_drops_add_up()
    {
        var buffer = New(4, BufferFullMode.DropNewest, mark: 1);
        for (var round = 0; round < 1000; round++)
        {
            buffer.Append(Messages(1, 5), 0);
            Drain(buffer);
        }

        var notices = new List<BufferNotice>();
        while (buffer.TryTakeNotice(out var notice))
        {
            notices.Add(notice);
        }

        notices.ShouldBe(
            [new(BufferNoticeKind.Dropped, 1000, 0), new(BufferNoticeKind.Backpressure, 0, 4), new(BufferNoticeKind.Drained, 0, 3)]);
    }

    [Theory]
    [InlineData(BufferFullMode.Block)]
    [InlineData(BufferFullMode.DropOldest)]
    public void Notices_are_announced_outside_the_lock(BufferFullMode mode)
    {
        MessageBuffer? buffer = null;
        var couldEnter = new List<bool>();
        buffer = new MessageBuffer(
            new BufferOptions { Capacity = 2, FullMode = mode },
            new MetricsRecorder("test", TimeProvider.System),
            _ => couldEnter.Add(Task.Run(() => buffer!.Size).Wait(TimeSpan.FromSeconds(5))));

        buffer.Append(Messages(1, 2), 0);
        Drain(buffer);

        couldEnter.ShouldBe([true, true]);
    }

    [Theory]
    [InlineData(BufferFullMode.Block)]
    [InlineData(BufferFullMode.DropOldest)]
    [InlineData(BufferFullMode.DropNewest)]
    [InlineData(BufferFullMode.Unlimited)]
    public void The_way_to_the_reader_is_measured_in_every_mode(BufferFullMode mode)
    {
        var time = new Perennial.Testing.ManualTimeProvider();
        var metrics = new MetricsRecorder("test", time);
        var buffer = new MessageBuffer(new BufferOptions { Capacity = 8, FullMode = mode }, metrics, static _ => { });

        buffer.Append(Messages(1, 3), time.GetTimestamp());
        time.Advance(TimeSpan.FromSeconds(3));
        Drain(buffer);

        metrics.Snapshot("", TransportState.Connected, TimeSpan.Zero, 0, 0, 0).AverageLatency.ShouldBe(TimeSpan.FromSeconds(3));
    }

    [Theory]
    [InlineData(BufferFullMode.Block, 1)]
    [InlineData(BufferFullMode.Block, 1000)]
    [InlineData(BufferFullMode.DropOldest, 1000)]
    [InlineData(BufferFullMode.DropNewest, 1000)]
    [InlineData(BufferFullMode.Unlimited, 1000)]
    public void Messages_that_were_consumed_are_not_kept_alive(BufferFullMode mode, int count)
    {
        var buffer = New(1000, mode);
        var consumed = FillAndDrain(buffer, count);

        buffer.TryRead(out _).ShouldBeFalse();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        consumed.Count(static reference => reference.IsAlive).ShouldBe(0);
        GC.KeepAlive(buffer);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<WeakReference> FillAndDrain(MessageBuffer buffer, int count)
    {
        var references = new List<WeakReference>();
        for (var i = 0; i < count; i++)
        {
            var block = new byte[8];
            references.Add(new WeakReference(block));
            buffer.Append([new StreamMessage(block, 0, 8, 8, 0, null, MessageTraits.None)], 0);
        }

        while (buffer.TryRead(out _))
        {
        }

        return references;
    }

    private static List<string> Drain(MessageBuffer buffer)
    {
        var texts = new List<string>();
        while (buffer.TryRead(out var message))
        {
            texts.Add(message.Text);
        }

        return texts;
    }

    private static StreamMessage[] Messages(int first, int last) =>
        [.. Enumerable.Range(first, last - first + 1).Select(static i => StreamMessage.FromText(i.ToString(CultureInfo.InvariantCulture)))];

    private MessageBuffer New(int capacity, BufferFullMode mode, double mark = 0.8) =>
        new(
            new BufferOptions { Capacity = capacity, FullMode = mode, HighWaterMark = mark },
            new MetricsRecorder("test", TimeProvider.System),
            _ => _noticed++);
}
