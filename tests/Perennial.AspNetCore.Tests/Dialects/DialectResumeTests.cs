using System.Net;
using Microsoft.AspNetCore.Builder;
using Perennial.AspNetCore.Tests.Http;

namespace Perennial.AspNetCore.Tests.Dialects;

/// <summary>A reader that knows nothing of Perennial resumes exactly, or is refused.</summary>
public class DialectResumeTests
{
    private static readonly RunFailedException Busy = new("Busy", "busy");

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("openai-chat")]
    [InlineData("gemini")]
    public async Task After_each_event_comes_exactly_the_rest(string name)
    {
        Perennial.Dialects.TryGet(name, out var dialect).ShouldBeTrue();
        await using var server = await RunServer.StartAsync();
        var run = await server.EndedRunAsync(dialect!, Busy, """{"n":1}""", """{"n":2}""", """{"n":3}""");
        var (all, _) = await server.AskToEndAsync(RunServer.PathOf(run));

        for (var seen = 0; seen <= 3; seen++)
        {
            var (rest, isWhole) = await server.AskToEndAsync(RunServer.PathOf(run), seen == 0 ? null : $"{run.Epoch}-{seen}");

            var last = $"id: {run.Epoch}-{seen}\n\n";
            rest.ShouldBe(all[(seen == 0 ? 0 : name is "gemini" ? Place(last) + last.Length : Place($"id: {run.Epoch}-{seen + 1}\n"))..]);
            isWhole.ShouldBeFalse();
        }

        int Place(string text) => all.IndexOf(text, StringComparison.Ordinal);
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("otherrun-1")]
    [InlineData("{epoch}-9")]
    [InlineData("{epoch}--1")]
    [InlineData("17")]
    public async Task An_id_that_cannot_be_honored_is_refused(string pattern)
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.EndedRunAsync(Perennial.Dialects.OpenAIChat, failure: null, """{"n":1}""", "[DONE]");
        var requested = pattern.Replace("{epoch}", run.Epoch, StringComparison.Ordinal);

        using var byHeader = await server.AskAsync(RunServer.PathOf(run), requested);
        using var byQuery = await server.AskAsync($"{RunServer.PathOf(run)}?lastEventId={requested}");

        (byHeader.StatusCode, byQuery.StatusCode).ShouldBe((HttpStatusCode.Gone, HttpStatusCode.Gone));
        byHeader.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        (await RawBody.ReadAsync(byHeader)).Text.ShouldContain("without Last-Event-ID");
        // A reader that knows Perennial gets the gap and all events, as in every run.
        (await server.ReadAsync(run, requested)).ShouldStartWith("event: perennial.gap\n");
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_that_has_a_whole_answer_need_not_come_back(bool isStopped)
    {
        await using var server = await RunServer.StartAsync();
        var run = isStopped ? await StoppedAfterEndAsync(server) : await server.EndedRunAsync(Perennial.Dialects.OpenAIChat, failure: null, """{"n":1}""");

        using var atEnd = await server.AskAsync(RunServer.PathOf(run), $"{run.Epoch}-2");
        var (before, isWhole) = await server.AskToEndAsync(RunServer.PathOf(run), $"{run.Epoch}-1");

        atEnd.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (before, isWhole).ShouldBe(($"id: {run.Epoch}-2\ndata: [DONE]\n\n", true));
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_reader_that_has_the_error_need_not_come_back()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.EndedRunAsync(Perennial.Dialects.OpenAIChat, Busy, """{"n":1}""");

        using var response = await server.AskAsync(RunServer.PathOf(run), $"{run.Epoch}-2");

        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        WireFormatTests.Header(response, "Perennial-Status").ShouldBe("failed");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_that_an_endpoint_of_the_application_returns_is_resumed_there()
    {
        StreamRun? found = null;
        await using var server = await RunServer.StartAsync(map: app => app.MapMethods("/mine", ["GET", "POST"], () => found!));
        var run = await server.EndedRunAsync(Perennial.Dialects.Anthropic, failure: null, """{"n":1}""");
        found = run;
        const string end = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            (await server.AskToEndAsync("/mine", $"{run.Epoch}-1", method: method)).ShouldBe(new($"id: {run.Epoch}-2\n{end}", true));
            (await server.AskToEndAsync("/mine", method: method)).ShouldBe(
                new($"id: {run.Epoch}-1\ndata: {{\"n\":1}}\n\nid: {run.Epoch}-2\n{end}", true));
        }

        using var unknown = await server.AskAsync("/mine", "otherrun-7");
        unknown.StatusCode.ShouldBe(HttpStatusCode.Gone);
        unknown.Content.Headers.ContentLocation!.OriginalString.ShouldBe(RunServer.PathOf(run));
        (await server.AskToEndAsync("/mine", "otherrun-7", method: HttpMethod.Post)).Text.ShouldStartWith(
            $"id: {run.Epoch}-1\n", Case.Sensitive, "a POST may start a run");
    }

    private static async Task<StartedRun> StoppedAfterEndAsync(RunServer server)
    {
        var written = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("""{"n":1}""", stop);
            await writer.WriteAsync("[DONE]", stop);
            written.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }, new RunOptions { Dialect = Perennial.Dialects.OpenAIChat });
        await written.Task;
        (await run.StopAsync()).ShouldBe(RunStatus.Stopped);
        return run;
    }
}
