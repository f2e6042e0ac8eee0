using Perennial.AspNetCore.Tests.Http;

namespace Perennial.AspNetCore.Tests.Dialects;

/// <summary>Every case of conformance/spelling.json: the bytes that a reader gets that knows a dialect and nothing of Perennial.</summary>
public class SpellingTests
{
    private static readonly IReadOnlyDictionary<string, SpellingCase> ByName = SpellingCase.Load();

    public static TheoryData<string> Cases => [.. ByName.Keys];

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory(Timeout = RunServer.Hang)]
    [MemberData(nameof(Cases))]
    public async Task A_reader_of_a_run_that_has_ended_gets_exactly_these_bytes(string name)
    {
        var each = ByName[name];
        await using var server = await RunServer.StartAsync();
        var run = await each.StartAsync(server, Task.CompletedTask);
        (await run.Completion).ToString().ShouldBe(each.Status, StringCompareShould.IgnoreCase);

        using var response = await server.Client.GetAsync(
            new Uri(RunServer.PathOf(run), UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestEnds);

        (await RawBody.ReadAsync(response)).ShouldBe(Expected(each, run));
        HeadersShouldFit(response, each.Dialect);
    }

    [Theory(Timeout = RunServer.Hang)]
    [MemberData(nameof(Cases))]
    public async Task A_reader_that_follows_the_run_gets_the_same_bytes(string name)
    {
        var each = ByName[name];
        await using var server = await RunServer.StartAsync();
        var go = new TaskCompletionSource();
        var run = await each.StartAsync(server, go.Task);

        using var response = await server.Client.GetAsync(
            new Uri(RunServer.PathOf(run), UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestEnds);
        go.SetResult();

        var read = await RawBody.ReadAsync(response);
        // A reader that comes before the first event gets a heartbeat.
        (read with { Text = read.Text.StartsWith(":\n\n", StringComparison.Ordinal) ? read.Text[3..] : read.Text })
            .ShouldBe(Expected(each, run));
    }

    private static RawBody Expected(SpellingCase each, StartedRun run) =>
        new(each.Body.Replace("id: e-", $"id: {run.Epoch}-", StringComparison.Ordinal), each.IsWhole);

    private static void HeadersShouldFit(HttpResponseMessage response, Dialect dialect)
    {
        response.Content.Headers.ContentType!.ToString().ShouldBe(
            dialect == Perennial.Dialects.Ollama ? "application/x-ndjson" : "text/event-stream");
        response.Headers.Contains("x-vercel-ai-ui-message-stream").ShouldBe(dialect == Perennial.Dialects.AISdk);
        response.Headers.ShouldNotContain(static field => field.Key.StartsWith("Perennial-", StringComparison.OrdinalIgnoreCase));
        WireFormatTests.Header(response, "Cache-Control").ShouldBe("no-store, no-transform");
    }
}
