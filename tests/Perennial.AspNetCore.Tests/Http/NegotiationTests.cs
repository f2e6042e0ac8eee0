using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Perennial.AspNetCore.Http;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>One URL, several forms: the Accept field decides (RFC 9110, section 12.5.1).</summary>
public class NegotiationTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", "text/event-stream")]
    [InlineData("*/*", "text/event-stream")]
    [InlineData("text/event-stream", "text/event-stream")]
    [InlineData("text/*", "text/event-stream")]
    [InlineData("application/x-ndjson", "application/x-ndjson")]
    [InlineData("APPLICATION/X-NDJSON; charset=utf-8", "application/x-ndjson")]
    [InlineData("application/json", "application/json", true)]
    [InlineData("application/json, text/event-stream", "text/event-stream")]
    [InlineData("application/x-ndjson, application/json", "application/x-ndjson", true)]
    [InlineData("application/x-ndjson, application/json;q=0.9", "application/x-ndjson")]
    [InlineData("text/event-stream;q=0.5, application/*;q=0.4, application/x-ndjson;q=0.8", "application/x-ndjson")]
    [InlineData("*/*;q=0.1, text/event-stream;q=0", "application/x-ndjson", true)]
    [InlineData("application/*, application/x-ndjson;q=0", "application/json", true)]
    [InlineData("*/*, application/json;q=0, text/event-stream;q=0", "application/x-ndjson")]
    [InlineData("text/html, */*;q=0.8", "text/event-stream")]
    [InlineData("text/html", null)]
    [InlineData("application/xml;q=0.9, image/*", null)]
    [InlineData("text/event-stream;q=0", null)]
    [InlineData(";;nonsense", "text/event-stream")]
    public async Task The_reader_gets_the_form_it_likes_best(string accept, string? expected, bool isPoll = false)
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("one");

        using var response = await server.OpenAsync(run, accept: accept);

        response.Headers.Vary.ShouldBe(["Accept"]);
        response.StatusCode.ShouldBe(expected is null ? HttpStatusCode.NotAcceptable : HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe(expected ?? "application/problem+json");
        response.Headers.TryGetValues("Perennial-Heartbeat", out var heartbeat);
        heartbeat?.Single().ShouldBe(isPoll ? "20" : "15", "a poll is answered so often, a stream shows life so often");
        (heartbeat is null).ShouldBe(expected is null);
        if (expected is null)
        {
            response.Headers.CacheControl!.NoStore.ShouldBeTrue();
            (await response.Content.ReadFromJsonAsync<JsonElement>(TestEnds))
                .GetProperty("detail")
                .GetString()!.ShouldContain("text/event-stream");
        }
    }

    [Fact]
    public void Several_fields_are_one_list() =>
        ResponseForms.Choose(new(["text/html", "application/x-ndjson"])).ShouldBe(ResponseForm.JsonLines);

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("text/event-stream", "text/event-stream", "id: ")]
    [InlineData("application/x-ndjson", "application/x-ndjson", "{\"id\":")]
    [InlineData("application/json", "text/event-stream", "id: ")]
    [InlineData("application/json, application/x-ndjson", "application/x-ndjson", "{\"id\":")]
    [InlineData("*/*, application/x-ndjson;q=0.5", "text/event-stream", "id: ")]
    [InlineData("text/html", "text/event-stream", "id: ")]
    public async Task The_request_that_starts_a_run_is_answered_in_its_form_too_but_by_no_poll(string accept, string type, string beginning)
    {
        var (isWritten, end) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await RunServer.StartAsync(map: app => app.MapPost("/chat", async (StreamRuns runs) =>
        {
            var run = runs.Start(async (writer, stop) =>
            {
                await writer.WriteAsync("one", cancellationToken: stop);
                isWritten.SetResult();
                await end.Task;
            });
            await isWritten.Task;
            return run;
        }));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/chat");
        request.Headers.TryAddWithoutValidation("Accept", accept);

        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);
        end.SetResult();
        var body = await response.Content.ReadAsStringAsync(TestEnds);

        response.Content.Headers.ContentType!.MediaType.ShouldBe(type);
        body.ShouldStartWith(beginning);
        using var resumed = await server.Client.GetAsync(response.Content.Headers.ContentLocation.ShouldNotBeNull(), TestEnds);
        resumed.StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
