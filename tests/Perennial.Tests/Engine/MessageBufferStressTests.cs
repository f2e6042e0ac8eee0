using System.Globalization;
using Perennial.Diagnostics;
using Perennial.Engine;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Engine;

/// <summary>A real writer against a real reader. A lost wake-up shows as a wait without end.</summary>
public class MessageBufferStressTests
{
    private const int Messages = 300_000;

    [Theory]
    [InlineData(BufferFullMode.Block, 1, 1)]
    [InlineData(BufferFullMode.Block, 1, 7)]
    [InlineData(BufferFullMode.Block, 2, 1)]
    [InlineData(BufferFullMode.Block, 64, 9)]
    [InlineData(BufferFullMode.Block, 1000, 300)]
    [InlineData(BufferFullMode.Unlimited, 10, 9)]
    [InlineData(BufferFullMode.DropOldest, 1, 1)]
    [InlineData(BufferFullMode.DropOldest, 64, 9)]
    [InlineData(BufferFullMode.DropOldest, 64, 100)]
    [InlineData(BufferFullMode.DropNewest, 1, 3)]
    [InlineData(BufferFullMode.DropNewest, 64, 9)]
    public async Task Between_two_threads_order_holds_and_every_message_is_read_or_counted(BufferFullMode mode, int capacity, int batch)
    {
        var buffer = new MessageBuffer(
            new BufferOptions { Capacity = capacity, FullMode = mode }, new MetricsRecorder("test", TimeProvider.System), static _ => { });
        var messages =
            Enumerable.Range(0, Messages).Select(static i => StreamMessage.FromText(i.ToString(CultureInfo.InvariantCulture))).ToArray();

        var writing = Task.Run(() => WriteAsync(buffer, messages, batch));
        var reading = Task.Run(() => ReadAsync(buffer));
        var pausing = Task.Run(() => PauseNowAndThen(buffer, reading));
        await writing.Soon();
        var read = await reading.Soon();
        await pausing.Soon();

        read.ShouldBeInOrder(SortDirection.Ascending);
        (read.Count + buffer.Dropped).ShouldBe(Messages);
        if (mode is BufferFullMode.Block or BufferFullMode.Unlimited)
        {
            read.Count.ShouldBe(Messages);
        }
        else if (mode is BufferFullMode.DropOldest)
        {
            read[^1].ShouldBe(Messages - 1);
        }
    }

    [Fact]
    public async Task Crossings_alternate_and_end_drained_whatever_the_threads_do()
    {
        var kinds = new List<BufferNoticeKind>();
        MessageBuffer? buffer = null;
        buffer = new MessageBuffer(
            new BufferOptions { Capacity = 8, HighWaterMark = 0.5 },
            new MetricsRecorder("test", TimeProvider.System),
            _ =>
            {
                lock (kinds)
                {
                    while (buffer!.TryTakeNotice(out var notice))
                    {
                        kinds.Add(notice.Kind);
                    }
                }
            });
        var messages = Enumerable.Range(0, Messages).Select(static i => StreamMessage.FromText("0")).ToArray();

        var reading = Task.Run(() => ReadAsync(buffer));
        await Task.Run(() => WriteAsync(buffer, messages, 3)).Soon();
        await reading.Soon();

        kinds.Count.ShouldBeGreaterThan(2);
        kinds.ShouldBe(
            Enumerable.Range(0, kinds.Count).Select(static i => i % 2 == 0 ? BufferNoticeKind.Backpressure : BufferNoticeKind.Drained));
        kinds[^1].ShouldBe(BufferNoticeKind.Drained);
    }

    [Fact]
    public async Task Cancelling_waits_for_messages_again_and_again_loses_none()
    {
        var buffer =
            new MessageBuffer(new BufferOptions { Capacity = 4 }, new MetricsRecorder("test", TimeProvider.System), static _ => { });
        var messages =
            Enumerable.Range(0, 4_000).Select(static i => StreamMessage.FromText(i.ToString(CultureInfo.InvariantCulture))).ToArray();
        var writing = Task.Run(() => WriteAsync(buffer, messages, 3));

        var read = await Task.Run(async () =>
        {
            var read = new List<int>();
            while (true)
            {
                while (buffer.TryRead(out var message))
                {
                    read.Add(int.Parse(message.Text, CultureInfo.InvariantCulture));
                }

                using var cancel = new CancellationTokenSource();
                var wait = buffer.WaitToReadAsync(cancel.Token);
                _ = Task.Run(cancel.Cancel);
                try
                {
                    if (await wait is not null)
                    {
                        return read;
                    }
                }
                catch (OperationCanceledException)
                {
                    // What the test is about: the next wait must work.
                }
            }
        }).Soon();
        await writing.Soon();

        read.ShouldBe(Enumerable.Range(0, messages.Length));
    }

    [Fact]
    public async Task A_writer_that_begins_to_wait_while_the_last_message_is_taken_is_told_of_the_room()
    {
        var buffer = new MessageBuffer(
            new BufferOptions { Capacity = 1 }, new MetricsRecorder("test", TimeProvider.System), static _ => { });
        StreamMessage[] one = [StreamMessage.FromText("1")];
        const int Rounds = 100_000;
        var begun = 0;
        var taken = 0;
        var reading = Task.Run(() =>
        {
            for (var round = 1; round <= Rounds; round++)
            {
                SpinUntil(ref begun, round);
                buffer.TryRead(out _).ShouldBeTrue();
                buffer.TryRead(out _).ShouldBeFalse();
                Volatile.Write(ref taken, round);
            }
        });

        for (var round = 1; round <= Rounds; round++)
        {
            buffer.Append(one, 0).ShouldBe(1);
            Volatile.Write(ref begun, round);
            for (var i = round % 100; i > 0; i--)
            {
                Volatile.Read(ref begun);       // meets the reader at each of its steps
            }

            var room = buffer.WaitForRoomAsync(CancellationToken.None);
            SpinUntil(ref taken, round);
            room.IsCompleted.ShouldBeTrue($"round {round}");
        }

        await reading.Soon();
    }

    private static void SpinUntil(ref int value, int reached)
    {
        var wait = default(SpinWait);
        while (Volatile.Read(ref value) < reached)
        {
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    private static async Task WriteAsync(MessageBuffer buffer, StreamMessage[] messages, int batch)
    {
        for (var next = 0; next < messages.Length;)
        {
            next += buffer.Append(messages.AsSpan(next, Math.Min(batch, messages.Length - next)), 0);
            await buffer.WaitForRoomAsync(CancellationToken.None);
        }

        buffer.End(StreamEnd.Completed);
    }

    private static async Task<List<int>> ReadAsync(MessageBuffer buffer)
    {
        var read = new List<int>();
        do
        {
            while (buffer.TryRead(out var message))
            {
                read.Add(int.Parse(message.Text, CultureInfo.InvariantCulture));
            }
        }
        while (await buffer.WaitToReadAsync(CancellationToken.None) is null);

        return read;
    }

    private static async Task PauseNowAndThen(MessageBuffer buffer, Task until)
    {
        while (!until.IsCompleted)
        {
            buffer.Pause(timestamp: 0);
            await Task.Yield();
            buffer.Resume();
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }
    }
}
