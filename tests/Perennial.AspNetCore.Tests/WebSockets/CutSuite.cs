using System.Globalization;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.WebSockets;

/// <summary>Both halves of perennial.v1 over lines that keep breaking: each event and each message once, in order.</summary>
public abstract class CutSuite(ITestOutputHelper output)
{
    private const int Cuts = 200;
    private const int LongHang = 10 * RunServer.Hang;

    private static bool IsLong => Environment.GetEnvironmentVariable("PERENNIAL_LONG") is "1";

    protected ITestOutputHelper Output => output;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = LongHang)]
    public async Task No_event_is_lost_or_repeated()
    {
        const int count = 5000;
        var random = NewRandom(out var seed);
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            for (var n = 0; n < count; n++)
            {
                await writer.WriteAsync(TextOf(n), "token", stop);
                if (n % 100 == 0)
                {
                    await Task.Yield();
                }
            }
        });
        var faults = new RandomFaults { Seed = random.Next(), MinBytes = 1000, MaxBytes = 60_000, RefuseShare = 0.1, MaxPieceBytes = 3000 };
        await using var proxy = FaultProxy.Start(server.Address, faults.PlanFor);
        await using var transport = NewTransport(proxy, run);

        (await ReadAsync(transport)).ShouldBe(Enumerable.Range(0, count).Select(TextOf), seed);

        (await transport.Completion).Reason.ShouldBe(StreamEndReason.Completed);
        proxy.Cuts.ShouldBeGreaterThan(3);
    }

    [Fact(Timeout = LongHang)]
    public async Task Every_message_reaches_the_handler_exactly_once_and_in_order()
    {
        var count = IsLong ? 100_000 : 20_000;
        var random = NewRandom(out var seed);
        await using var server = await RunServer.StartAsync(AtFullSpeed);
        await using var proxy = FaultProxy.Start(server.Address);
        var received = new List<string>(count);
        var all = new TaskCompletionSource();
        var cutter = new Cutter(proxy, random, count);
        var run = await server.Runs.StartAsync(
            (_, stop) => all.Task.WaitAsync(stop),
            new RunOptions
            {
                OnMessage = async (message, stop) =>
                {
                    received.Add(message.Text);
                    await cutter.StepAsync(stop);
                    if (received.Count == count)
                    {
                        all.SetResult();
                    }
                },
            });
        await using var transport = NewTransport(proxy, run, queue: 1000);

        var reading = ReadAsync(transport);
        var unconfirmed = new Queue<Task<SendOutcome>>();
        for (var n = 0; n < count || unconfirmed.Count > 0; n++)
        {
            if (n < count)
            {
                unconfirmed.Enqueue(transport.SendAsync(TextOf(n), TestEnds));
            }

            if (n >= count || unconfirmed.Count == 500)
            {
                (await unconfirmed.Dequeue()).ShouldBe(SendOutcome.Acknowledged);
            }
        }

        await reading;

        received.ShouldBe(Enumerable.Range(0, count).Select(TextOf), seed);
        output.WriteLine($"{count} messages over {cutter.Made} cuts");
        cutter.Made.ShouldBe(Cuts);
    }

    [Fact(Timeout = LongHang)]
    public async Task Both_directions_at_once_lose_and_repeat_nothing()
    {
        var count = IsLong ? 20_000 : 5000;
        var random = NewRandom(out var seed);
        await using var server = await RunServer.StartAsync(AtFullSpeed);
        await using var proxy = FaultProxy.Start(server.Address);
        var echoes = System.Threading.Channels.Channel.CreateUnbounded<string>();
        var cutter = new Cutter(proxy, random, count);
        var run = await server.Runs.StartAsync(
            async (writer, stop) =>
            {
                for (var n = 0; n < count; n++)
                {
                    await writer.WriteAsync(await echoes.Reader.ReadAsync(stop), "echo", stop);
                }
            },
            new RunOptions
            {
                OnMessage = async (message, stop) =>
                {
                    await echoes.Writer.WriteAsync(message.Text, stop);
                    await cutter.StepAsync(stop);
                },
            });
        await using var transport = NewTransport(proxy, run, queue: count);

        var reading = ReadAsync(transport);
        foreach (var n in Enumerable.Range(0, count))
        {
            _ = transport.SendAsync(TextOf(n), TestEnds);
        }

        (await reading).ShouldBe(Enumerable.Range(0, count).Select(TextOf), seed);
        cutter.Made.ShouldBe(Cuts);
    }

    private Random NewRandom(out string seed)
    {
        var given = Environment.GetEnvironmentVariable("PERENNIAL_TEST_SEED");
        var number = given is null ? Random.Shared.Next() : int.Parse(given, CultureInfo.InvariantCulture);
        seed = FormattableString.Invariant($"PERENNIAL_TEST_SEED={number}");
        output.WriteLine(seed);
        return new Random(number);
    }

    private static void AtFullSpeed(PerennialServerOptions options) => options.MaxMessagesPerSecond = 1_000_000;

    /// <summary>Creates the transport.</summary>
    /// <param name="endpoint">The URL of the run, with the scheme http.</param>
    /// <param name="queue">How many messages may wait to be sent.</param>
    protected abstract Transport NewTransport(Uri endpoint, int queue);

    protected static ReconnectOptions AtOnce { get; } = new() { InitialDelay = TimeSpan.Zero, Jitter = false, MaxAttempts = 10_000 };

    protected static SendOptions Patient(int queue) => new() { QueueCapacity = queue, Timeout = TimeSpan.FromMinutes(10) };

    private Transport NewTransport(FaultProxy proxy, StreamRun run, int queue = 256) =>
        NewTransport(new Uri(proxy.Address, RunServer.PathOf(run)), queue);

    private static async Task<List<string>> ReadAsync(Transport transport)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        List<string> texts = [];
        await foreach (var message in transport.ReadAllAsync(TestEnds))
        {
            texts.Add(message.Text);
        }

        return texts;
    }

    private static string TextOf(int n) => $"{n} \"{new string('x', n % 97)}\"";

    /// <summary>Cuts the line at random places of a task, so often in all.</summary>
    private sealed class Cutter(FaultProxy proxy, Random random, int steps)
    {
        private readonly Queue<int> _places = new(Enumerable.Range(0, Cuts).Select(_ => random.Next(steps - 1000)).Order());
        private int _step;

        /// <summary>How many connections were cut.</summary>
        public int Made { get; private set; }

        /// <summary>A step was done. While no connection is open there is nothing to cut, and the task waits for the next.</summary>
        public async Task StepAsync(CancellationToken stop)
        {
            _step++;
            while (_places.TryPeek(out var place) && place <= _step)
            {
                await proxy.WaitForConnectionsAsync(Made + 1, stop);
                while (proxy.CutAll((CutMode)random.Next(2)) == 0)
                {
                    await Task.Yield();
                }

                Made++;
                _places.Dequeue();
            }
        }
    }
}
