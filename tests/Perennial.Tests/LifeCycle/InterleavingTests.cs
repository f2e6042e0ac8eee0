using Perennial.Testing;
using System.Globalization;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.LifeCycle;

/// <summary>Many callers at once: what one does must leave the transport whole for the others.</summary>
public class InterleavingTests
{
    [Fact]
    public async Task Whoever_connects_while_another_closes_an_idle_transport_gets_a_whole_session_or_none()
    {
        for (var round = 0; round < 2000; round++)
        {
            await using var transport = new InMemoryTransport();
            using var start = new Barrier(2);
            var connecting = Task.Run(() => AtOnce(start, () => transport.ConnectAsync()));
            var closing = Task.Run(() => AtOnce(start, () => transport.CloseAsync()));
            await closing.Soon();
            var hasConnected = await connecting.Soon() is null;

            if (hasConnected && !transport.Completion.IsCompleted)
            {
                transport.State.ShouldBe(TransportState.Connected, $"round {round}");
                transport.Connection.Say("1").Finish();
                (await transport.ReadAllAsync().TextsAsync().Soon()).ShouldBe(["1"]);
            }

            transport.State.ShouldBe(TransportState.Closed, $"round {round}");
        }
    }

    [Fact]
    public async Task Connecting_again_at_the_moment_of_the_end_starts_a_session_that_can_be_read()
    {
        for (var round = 0; round < 500; round++)
        {
            await using var transport = new InMemoryTransport();
            await transport.ConnectAsync().Soon();
            var connectedAgain = new TaskCompletionSource();
            transport.Closed += Again;
            var texts = new List<string>();
            var reading = ReadThroughEnds(transport, texts, lastText: "b");

            transport.Connection.Say("a").Finish();
            await connectedAgain.Task.Soon();
            transport.IsConnected.ShouldBeTrue($"round {round}");
            transport.Connections.Count.ShouldBe(2, $"round {round}");
            transport.Connection.Say("b");

            await reading.Soon();
            texts.ShouldBe(["a", "b"]);

            async void Again(object? sender, ClosedEvent closed)
            {
                transport.Closed -= Again;
                await transport.ConnectAsync();
                connectedAgain.SetResult();
            }
        }
    }

    [Fact]
    public async Task Random_calls_from_many_threads_end_in_a_closed_transport_with_nothing_left()
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var transport = new InMemoryTransport(
                new InMemoryTransportOptions { Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero, Jitter = false } });
            var journal = new EventJournal(transport, withMessages: false);
            var callers = Enumerable.Range(0, 4)
                .Select(caller => Task.Run(() => CallAtRandomAsync(transport, new Random((seed * 10) + caller))))
                .ToArray();
            await Task.WhenAll(callers).Soon();

            await transport.DisposeAsync().Soon();

            transport.State.ShouldBe(TransportState.Closed, $"seed {seed}");
            (await transport.Completion.Soon()).ShouldNotBeNull();
            transport.Connections.ShouldAllBe(static connection => connection.Disposals == 1);
            var closings = journal.Entries.Count(static entry => entry.StartsWith("closed", StringComparison.Ordinal));
            closings.ShouldBeGreaterThan(0, $"seed {seed}");
            journal.Entries[^1].ShouldStartWith("closed");
            EachClosedIsFollowedByAConnectingOrNothing(journal.Entries);
            journal.HasOverlapped.ShouldBeFalse();
        }
    }

    [Fact]
    public async Task Disposing_from_many_threads_at_once_waits_for_the_same_end()
    {
        for (var round = 0; round < 200; round++)
        {
            var transport = new InMemoryTransport();
            await transport.ConnectAsync().Soon();
            using var start = new Barrier(3);

            var disposals =
                Enumerable.Range(0, 3).Select(_ => Task.Run(() => AtOnce(start, () => transport.DisposeAsync().AsTask()))).ToArray();
            (await Task.WhenAll(disposals).Soon()).ShouldAllBe(static error => error == null);

            transport.Connection.Disposals.ShouldBe(1);
            transport.State.ShouldBe(TransportState.Closed);
        }
    }

    private static async Task<Exception?> AtOnce(Barrier start, Func<Task> call)
    {
        start.SignalAndWait();
        try
        {
            await call();
            return null;
        }
        catch (TransportException e)
        {
            return e;
        }
    }

    private static void EachClosedIsFollowedByAConnectingOrNothing(IReadOnlyList<string> entries)
    {
        for (var i = 0; i < entries.Count - 1; i++)
        {
            if (entries[i].StartsWith("closed", StringComparison.Ordinal))
            {
                entries[i + 1].ShouldBeOneOf("connecting 0", "closed Closed");
            }
        }
    }

    private static async Task ReadThroughEnds(Transport transport, List<string> texts, string lastText)
    {
        while (!texts.Contains(lastText))
        {
            await foreach (var message in transport.ReadAllAsync())
            {
                texts.Add(message.Text);
                if (string.Equals(message.Text, lastText, StringComparison.Ordinal))
                {
                    return;
                }
            }

            await Task.Yield();
        }
    }

    private static async Task CallAtRandomAsync(InMemoryTransport transport, Random random)
    {
        for (var i = 0; i < 25; i++)
        {
            try
            {
                switch (random.Next(10))
                {
                    case 0 or 1 or 2:
                        await transport.ConnectAsync().Soon();
                        break;
                    case 3:
                        await transport.CloseAsync().Soon();
                        break;
                    case 4 when transport.Connections.Count > 0:
                        transport.Connection.Break(isTransient: random.Next(3) != 0);
                        break;
                    case 5 when transport.Connections.Count > 0:
                        transport.Connection.Say(i.ToString(CultureInfo.InvariantCulture));
                        break;
                    case 6:
                        transport.Pause();
                        transport.Resume();
                        break;
                    case 7:
                        _ = transport.SendAsync("x").ContinueWith(static task => _ = task.Exception, TaskScheduler.Default);
                        break;
                    case 8 when i > 20:
                        await transport.DisposeAsync().Soon();
                        break;
                    case 9:
                        using (var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(5))))
                        {
                            await transport.ReadAllAsync(cancel.Token).TextsAsync(3);
                        }

                        break;
                }
            }
            catch (Exception e) when (e is TransportException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
            {
                // Each is a possible answer here; hanging or corruption is not.
            }
        }
    }
}
