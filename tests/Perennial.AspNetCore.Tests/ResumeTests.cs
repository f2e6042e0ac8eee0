using System.Net;

namespace Perennial.AspNetCore.Tests;

public class ResumeTests
{
    private static readonly string[] Words = ["one", "two\nlines", "", "four"];

    [Fact(Timeout = RunServer.Hang)]
    public async Task After_each_id_comes_exactly_the_rest()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync(Words);
        var frames = (await server.ReadAsync(run)).Split("\n\n")[..^1];

        for (var seen = 0; seen < frames.Length; seen++)
        {
            using var response = await server.OpenAsync(run, $"{run.Epoch}-{seen}");
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

            WireFormatTests.Header(response, "Perennial-Cursor").ShouldBe($"{run.Epoch}-{seen}");
            body.ShouldBe(string.Concat(frames[seen..].Select(frame => frame + "\n\n")));
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_reader_that_has_the_end_is_told_to_stop_coming_back()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync(Words);

        using var response = await server.OpenAsync(run, $"{run.Epoch}-{Words.Length + 1}");

        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_reader_at_the_tail_of_an_open_log_waits_for_what_comes()
    {
        await using var server = await RunServer.StartAsync();
        var (written, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("seen", cancellationToken: stop);
            written.SetResult();
            await go.Task;
            await writer.WriteAsync("new", cancellationToken: stop);
        });
        await written.Task;

        using var response = await server.OpenAsync(run, $"{run.Epoch}-1");
        go.SetResult();

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).TrimStart(':', '\n')      // it may have waited
            .ShouldStartWith($"id: {run.Epoch}-2\ndata: new\n\n");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task The_query_parameter_serves_where_headers_cannot_be_set_and_the_header_wins()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("one", "two");
        var path = $"{RunServer.PathOf(run)}?lastEventId={run.Epoch}-";

        (await server.Client.GetStringAsync(new Uri(path + "1", UriKind.Relative), TestContext.Current.CancellationToken))
            .ShouldStartWith($"id: {run.Epoch}-2\n");

        using var both = new HttpRequestMessage(HttpMethod.Get, path + "1");
        both.Headers.Add("Last-Event-ID", $"{run.Epoch}-2");
        using var response = await server.Client.SendAsync(both, TestContext.Current.CancellationToken);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldStartWith($"id: {run.Epoch}-3\n");
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("otherrun-1")]
    [InlineData("{epoch}-4")]
    [InlineData("{epoch}-99999999999999999999")]
    [InlineData("{epoch}--1")]
    [InlineData("{epoch}-")]
    [InlineData("{epoch}")]
    [InlineData("-1")]
    [InlineData("\"},{\"x\":\"")]
    public async Task An_id_that_cannot_be_honored_is_answered_by_a_gap_and_everything_there_is(string pattern)
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("one", "two");
        var requested = pattern.Replace("{epoch}", run.Epoch, StringComparison.Ordinal);

        using var response = await server.OpenAsync(run, requested);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        WireFormatTests.Header(response, "Perennial-Cursor").ShouldBe($"{run.Epoch}-0");
        var json = $$"""{"requested":"{{requested.Replace("\"", "\\u0022", StringComparison.Ordinal)}}","resumesAt":"{{run.Epoch}}-1"}""";
        body.ShouldBe($"event: perennial.gap\ndata: {json}\n\n{await server.ReadAsync(run)}");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_gap_is_told_even_before_the_first_event()
    {
        await using var server = await RunServer.StartAsync();
        var go = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => go.Task);

        using var response = await server.OpenAsync(run, "elsewhere-7");
        await foreach (var item in RunServer.EventsOf(response))
        {
            item.EventType.ShouldBe("perennial.gap");
            break;
        }

        go.SetResult();
    }
}
