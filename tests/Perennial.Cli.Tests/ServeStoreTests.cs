using System.Net.Http.Json;
using System.Text.Json;
using Perennial.Sse;

namespace Perennial.Cli.Tests;

/// <summary><c>perennial serve --store</c>: runs that are still there when the process is not.</summary>
public sealed class ServeStoreTests : IDisposable
{
    private const string Question = """{"text":"What does it guarantee?"}""";

    private static readonly ReconnectOptions Patiently = new()
    {
        InitialDelay = TimeSpan.FromMilliseconds(50),
        Multiplier = 1,
        MaxAttempts = 2000,
    };

    private readonly string _directory = Directory.CreateTempSubdirectory("perennial-store-").FullName;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    private string File => Path.Combine(_directory, "runs.db");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact(Timeout = Cli.Hang)]
    public async Task Readers_go_on_by_themselves_when_the_next_process_takes_over()
    {
        const int runs = 20, few = 5;
        await using var before = Start("http://127.0.0.1:0", "5");
        var address = await AddressOfAsync(before);
        var finished = await AskAsync(address);
        var whole = await Streams.ReadAsync(finished);
        var open = await Task.WhenAll(Enumerable.Range(0, runs).Select(_ => AskAsync(address)));
        var readings = open.Select(run => new Reading(run, few)).ToArray();
        await Task.WhenAll(readings.Select(static reading => reading.HasFew));

        // The next process waits for the file, and so takes the port only when it is free.
        await using var after = Start(address.GetLeftPart(UriPartial.Authority), "0");
        await before.SignalAsync("TERM");
        await AddressOfAsync(after);

        (await before.EndAsync()).ExitCode.ShouldBe(143);
        (await Streams.ReadAsync(finished)).ShouldBe(whole);
        foreach (var reading in readings)
        {
            (await reading.End).ShouldBeNull();
            reading.Texts.ShouldBe(whole);
            (await Streams.ReadAsync(reading.Run)).ShouldBe(whole);
        }

        (await Streams.ReadAsync(await AskAsync(address))).ShouldBe(whole);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task An_answer_of_a_process_that_was_killed_goes_on_where_it_was()
    {
        Uri address, run;
        Reading reading;
        await using (var before = Start("http://127.0.0.1:0", "5"))
        {
            address = await AddressOfAsync(before);
            run = await AskAsync(address);
            reading = new Reading(run, few: 20);
            await reading.HasFew;
            await before.SignalAsync("KILL");
        }

        await using var after = Start(address.GetLeftPart(UriPartial.Authority), "0");

        (await reading.End).ShouldBeNull();
        var whole = await Streams.ReadAsync(await AskAsync(address));
        reading.Texts.ShouldBe(whole);
        (await Streams.ReadAsync(run)).ShouldBe(whole);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task A_line_of_standard_input_ends_honestly_in_the_next_process()
    {
        Uri run;
        Reading reading;
        await using (var before = StartLines("http://127.0.0.1:0"))
        {
            run = await AddressOfAsync(before);
            await before.Input.WriteLineAsync("first");
            await before.Input.FlushAsync(TestEnds);
            reading = new Reading(run, few: 1);
            await reading.HasFew;
            await before.SignalAsync("KILL");
        }

        await using var after = StartLines(run.GetLeftPart(UriPartial.Authority));
        await AddressOfAsync(after);

        (await reading.End).ShouldNotBeNull().ServerCode.ShouldBe("producer_lost");
        reading.Texts.ShouldBe(["first"]);

        Cli StartLines(string url) => Cli.Start("serve", "--stdin", "--url", url, "--store", File);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Says_why_the_file_cannot_be_used()
    {
        await System.IO.File.WriteAllTextAsync(File, new string('x', 1000), TestEnds);

        var noDatabase = await Cli.RunAsync("serve", "--demo", "--url", "http://127.0.0.1:0", "--store", File);
        var nowhere =
            await Cli.RunAsync("serve", "--demo", "--url", "http://127.0.0.1:0", "--store", Path.Combine(_directory, "missing", "runs.db"));

        foreach (var (result, reason) in new[] { (noDatabase, "is not a database"), (nowhere, "cannot be opened") })
        {
            result.ErrorLines.ShouldHaveSingleItem().ShouldContain("cannot use --store");
            result.Error.ShouldContain(reason);
            result.ExitCode.ShouldBe(1);
        }
    }

    private Cli Start(string url, string delay) => Cli.Start("serve", "--demo", "--url", url, "--delay", delay, "--store", File);

    private static async Task<Uri> AddressOfAsync(Cli cli)
    {
        var line = await cli.ReadUntilAsync("http://");
        return new Uri(line[line.IndexOf("http://", StringComparison.Ordinal)..]);
    }

    private static async Task<Uri> AskAsync(Uri address)
    {
        using var client = new HttpClient { BaseAddress = address };
        using var question = new StringContent(Question);
        using var response = await client.PostAsync(new Uri("demo/answers", UriKind.Relative), question, TestEnds);
        response.EnsureSuccessStatusCode();
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestEnds);
        return new Uri(address, $"streams/{answer.GetProperty("run").GetString()}");
    }

    /// <summary>A reader that comes back by itself until the run ends.</summary>
    private sealed class Reading
    {
        private readonly TaskCompletionSource _hasFew = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Reading(Uri run, int few)
        {
            Run = run;
            End = ReadAsync(few);
        }

        public Uri Run { get; }

        public List<string> Texts { get; } = [];

        /// <summary>Completes when there are a few messages.</summary>
        public Task HasFew => _hasFew.Task;

        /// <summary>How the run failed; null if it is whole.</summary>
        public Task<TransportException?> End { get; }

        private async Task<TransportException?> ReadAsync(int few)
        {
            await using var transport = new SseTransport(new SseTransportOptions { Endpoint = Run, Reconnect = Patiently });
            try
            {
                await foreach (var message in transport.ReadAllAsync(TestEnds))
                {
                    Texts.Add(message.Text);
                    if (Texts.Count == few)
                    {
                        _hasFew.SetResult();
                    }
                }
            }
            catch (TransportException e)
            {
                _hasFew.TrySetException(e);
                return e;
            }

            return null;
        }
    }
}
