using System.Globalization;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>A run over lines that keep breaking, read by the client library: each event once, in order, whatever the form.</summary>
public class CutLineTests
{
    private const int Count = 3000;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory(Timeout = 2 * RunServer.Hang)]
    [InlineData(ReaderForm.Sse)]
    [InlineData(ReaderForm.JsonLines)]
    [InlineData(ReaderForm.LongPoll)]
    public async Task Nothing_is_lost_and_nothing_repeated(ReaderForm form)
    {
        var seed = NewSeed();
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync(WriteAsync);
        var faults = new RandomFaults { Seed = seed, MinBytes = 300, MaxBytes = 40_000, RefuseShare = 0.1, MaxPieceBytes = 3000 };
        await using var proxy = FaultProxy.Start(server.Address, faults.PlanFor);
        await using var transport = form.NewTransport(new Uri(proxy.Address, RunServer.PathOf(run)));

        var texts = new List<string>();
        await foreach (var message in transport.ReadAllAsync(TestEnds))
        {
            texts.Add(message.Text);
        }

        texts.ShouldBe(Enumerable.Range(1, Count).Select(TextOf), $"seed {seed}");
        (await transport.Completion).Reason.ShouldBe(StreamEndReason.Completed);
        proxy.Cuts.ShouldBeGreaterThan(3);
    }

    [Fact(Timeout = 2 * RunServer.Hang)]
    public async Task A_reader_may_change_its_form_wherever_it_is()
    {
        var seed = NewSeed();
        var random = new Random(seed);
        await using var server = await RunServer.StartAsync();
        using var joined = new SemaphoreSlim(0);
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            // Each join sets off a burst at full speed, so that joins meet the producer in the middle of its work.
            for (var n = 0; n < Count;)
            {
                await joined.WaitAsync(stop);
                for (var last = Math.Min(Count, n + 150); n < last;)
                {
                    await writer.WriteAsync(TextOf(++n), cancellationToken: stop);
                }
            }
        });

        var texts = new List<string>();
        string? lastId = null;
        for (var session = 0; texts.Count < Count; session++)
        {
            await using var transport = ((ReaderForm)(session % 3)).NewTransport(new Uri(server.Address, RunServer.PathOf(run)), lastId);
            transport.GapDetected += (_, gap) => Assert.Fail($"{gap}; seed {seed}");
            joined.Release(2);
            var rest = random.Next(1, 150);
            await foreach (var message in transport.ReadAllAsync(TestEnds))
            {
                texts.Add(message.Text);
                lastId = message.Id;
                if (--rest == 0)
                {
                    break;
                }
            }
        }

        texts.ShouldBe(Enumerable.Range(1, Count).Select(TextOf), $"seed {seed}");
    }

    private static async Task WriteAsync(RunWriter writer, CancellationToken stop)
    {
        for (var n = 1; n <= Count; n++)
        {
            await writer.WriteAsync(TextOf(n), "token", stop);
            if (n % 100 == 0)
            {
                await Task.Yield();
            }
        }
    }

    private static string TextOf(int n) => string.Create(CultureInfo.InvariantCulture, $"{n}\n{new string('x', n % 97)}");

    private static int NewSeed()
    {
        var seed = Environment.GetEnvironmentVariable("PERENNIAL_TEST_SEED") is { } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage("PERENNIAL_TEST_SEED={0}", seed);
        return seed;
    }
}
