using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Tests.Http;
using Perennial.AspNetCore.Tests.Stores;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Dialects;

/// <summary>A reader that knows nothing of Perennial gets the dialect of a run and nothing else, whatever happens.</summary>
public class DialectReaderTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("openai-chat", "application/json", "text/event-stream")]
    [InlineData("openai-chat", "application/x-ndjson", "text/event-stream")]
    [InlineData("ollama", "application/json", "application/x-ndjson")]
    [InlineData("ollama", "text/event-stream", "application/x-ndjson")]
    public async Task The_dialect_decides_the_form_whatever_is_accepted(string name, string accept, string expected)
    {
        Perennial.Dialects.TryGet(name, out var dialect).ShouldBeTrue();
        await using var server = await RunServer.StartAsync(map: app => app.MapMethods(
            "/chat", ["GET", "POST"], (StreamRuns runs) => runs.Start(Texts("""{"done":true}"""), new RunOptions { Dialect = dialect })));

        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            using var response = await server.AskAsync("/chat", accept: accept, method: method);

            response.Content.Headers.ContentType!.ToString().ShouldBe(expected);
            response.Content.Headers.ContentLocation.ShouldNotBeNull();
            var (text, isWhole) = await RawBody.ReadAsync(response);
            text.ShouldContain("""{"done":true}""");
            text.ShouldNotContain("perennial");
            isWhole.ShouldBeTrue();
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_whose_producer_is_lost_ends_with_an_error_and_breaks_off()
    {
        await using var server = await RunServer.StartAsync();
        var written = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("""{"n":1}""", stop);
            written.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }, new RunOptions { Dialect = Perennial.Dialects.OpenAIChat });
        await written.Task;
        using var reader = await server.AskAsync(RunServer.PathOf(run));

        await run.Events.CloseAsync(RunEnd.ProducerLost, TestEnds);

        (await RawBody.ReadAsync(reader)).ShouldBe(new(
            $"id: {run.Epoch}-1\ndata: {{\"n\":1}}\n\nid: {run.Epoch}-2\n"
            + "data: {\"error\":{\"message\":\"The server that produced this run is gone.\",\"type\":\"server_error\",\"param\":null,\"code\":\"producer_lost\"}}\n\n",
            IsWhole: false));
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_shutdown_breaks_the_response_off_and_adds_nothing()
    {
        await using var server = await RunServer.StartAsync();
        var written = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("""{"n":1}""", stop);
            written.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }, new RunOptions { Dialect = Perennial.Dialects.OpenAIChat });
        await written.Task;     // a reader that comes before the first event gets a heartbeat
        using var reader = await server.AskAsync(RunServer.PathOf(run));
        await using var stream = await reader.Content.ReadAsStreamAsync(TestEnds);
        var first = new byte[Encoding.UTF8.GetByteCount($"id: {run.Epoch}-1\ndata: {{\"n\":1}}\n\n")];
        await stream.ReadExactlyAsync(first, TestEnds);

        var stopping = server.StopAsync();

        var rest = new byte[100];
        (await Should.ThrowAsync<IOException>(async () => (await stream.ReadAsync(rest, TestEnds)).ShouldBe(0, "nothing may be added")))
            .ShouldNotBeNull();
        await stopping;
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("openai-chat", ":\n\n")]
    [InlineData("gemini", ":\n\n")]
    [InlineData("ollama", "")]
    public async Task A_silence_is_broken_by_a_heartbeat_that_every_client_skips(string name, string heartbeat)
    {
        Perennial.Dialects.TryGet(name, out var dialect).ShouldBeTrue();
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(time: clock);
        var go = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await go.Task;
            await writer.WriteAsync("""{"done":true}""", stop);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }, new RunOptions { Dialect = dialect });
        using var response = await server.AskAsync(RunServer.PathOf(run));
        await using var stream = await response.Content.ReadAsStreamAsync(TestEnds);

        for (var beat = 0; beat < 2; beat++)
        {
            await clock.WaitForTimerAsync(Interval, TestEnds);
            clock.Advance(Interval);
        }

        await clock.WaitForTimerAsync(Interval, TestEnds);      // the second heartbeat is sent
        go.SetResult();
        var expected = $"{heartbeat}{heartbeat}{heartbeat}" + name switch
        {
            "ollama" => "{\"done\":true}\n",
            "gemini" => $"data: {{\"done\":true}}\n\nid: {run.Epoch}-1\n\n",
            _ => $"id: {run.Epoch}-1\ndata: {{\"done\":true}}\n\n",
        };
        var read = new byte[expected.Length];
        await stream.ReadExactlyAsync(read, TestEnds);
        Encoding.UTF8.GetString(read).ShouldBe(expected);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Events_that_the_store_no_longer_keeps_are_no_answer()
    {
        using var stores = new MemoryStores();
        await using var server =
            await RunServer.StartAsync(store: new LosingStore(stores.Open(new PerennialServerOptions()), static log => new ShortLog(log)));
        var run = await server.EndedRunAsync(Perennial.Dialects.OpenAIChat, failure: null, """{"n":1}""", """{"n":2}""", "[DONE]");

        using var response = await server.AskAsync(RunServer.PathOf(run));

        response.StatusCode.ShouldBe(HttpStatusCode.Gone);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task An_answer_with_a_hole_breaks_off()
    {
        using var stores = new MemoryStores();
        await using var server =
            await RunServer.StartAsync(store: new LosingStore(stores.Open(new PerennialServerOptions()), static log => new HoleyLog(log)));
        var run = await server.EndedRunAsync(Perennial.Dialects.OpenAIChat, failure: null, """{"n":1}""", """{"n":2}""", "[DONE]");

        (await server.AskToEndAsync(RunServer.PathOf(run))).ShouldBe(new($"id: {run.Epoch}-1\ndata: {{\"n\":1}}\n\n", IsWhole: false));
        (await server.ReadAsync(run)).ShouldContain("event: perennial.gap\n", Case.Sensitive, "a reader that knows Perennial reads on");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_without_a_dialect_speaks_to_every_reader_as_before()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("one");

        using var response = await server.AskAsync(RunServer.PathOf(run), accept: "text/event-stream");

        WireFormatTests.Header(response, "Perennial-Protocol").ShouldBe("1");
        (await RawBody.ReadAsync(response)).ShouldBe(
            new($"id: {run.Epoch}-1\ndata: one\n\nid: {run.Epoch}-2\nevent: perennial.completed\ndata: [DONE]\n\n", true));
    }

    private static async IAsyncEnumerable<string> Texts(params string[] texts)
    {
        foreach (var text in texts)
        {
            yield return text;
        }

        await Task.CompletedTask;
    }

    /// <summary>A store whose runs have lost events.</summary>
    private sealed class LosingStore(RunStore inner, Func<RunLog, RunLog> lose) : PassingStore(inner)
    {
        protected override RunLog Wrap(RunLog log) => lose(log);

        protected override RunLog WrapFound(RunLog log) => lose(log);
    }

    /// <summary>A run whose first event is no longer kept.</summary>
    private sealed class ShortLog(RunLog inner) : PassingLog(inner)
    {
        public override async ValueTask<RunState> GetStateAsync(CancellationToken cancellationToken) =>
            await base.GetStateAsync(cancellationToken) with { Oldest = 2 };
    }

    /// <summary>A run whose second event gets lost while it is read.</summary>
    private sealed class HoleyLog(RunLog inner) : PassingLog(inner)
    {
        public override async ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken) =>
            await base.ReadAsync(after == 1 ? 2 : after, after == 0 ? 1 : maxBytes, cancellationToken);
    }
}
