using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Perennial.AspNetCore.Tests;

/// <summary>The same request with the same <c>Idempotency-Key</c> starts one run, and the handler is called once.</summary>
public class StartOnceTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_repeated_request_is_answered_with_the_run_of_the_first_and_the_handler_is_not_called()
    {
        var chat = new Chat();
        await using var server = await RunServer.StartAsync(map: chat.Map);

        using var first = await PostAsync(server, "/chat", "key");
        using var repeat = await PostAsync(server, "/chat", "key");
        using var other = await PostAsync(server, "/chat", "another");

        repeat.Content.Headers.ContentLocation.ShouldBe(first.Content.Headers.ContentLocation);
        other.Content.Headers.ContentLocation.ShouldNotBe(first.Content.Headers.ContentLocation);
        (await EventsOf(repeat)).ShouldBe(await EventsOf(first));
        chat.Prompts.ShouldBe(["hello", "hello"]);
        WireFormatTests.Header(repeat, "Perennial-Starts").ShouldBe("once");
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("/task")]
    [InlineData("/value-task")]
    [InlineData("/results")]
    [InlineData("/marked")]
    [InlineData("/found")]
    public async Task Every_endpoint_that_returns_a_run_starts_once(string path)
    {
        var chat = new Chat();
        await using var server = await RunServer.StartAsync(map: chat.Map);

        using var first = await PostAsync(server, path, "key");
        using var repeat = await PostAsync(server, path, "key");

        repeat.Content.Headers.ContentLocation.ShouldNotBeNull().ShouldBe(first.Content.Headers.ContentLocation);
        chat.Prompts.ShouldBe(["hello"]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Another_body_target_or_sender_with_the_key_is_not_a_repeat()
    {
        var chat = new Chat();
        await using var server = await RunServer.StartAsync(map: chat.Map);
        using var first = await PostAsync(server, "/chat", "key");

        using var body = await PostAsync(server, "/chat", "key", text: "another");
        using var target = await PostAsync(server, "/chat?model=large", "key");
        using var authorization = await PostAsync(server, "/chat", "key", header: ("Authorization", "Bearer b"));
        using var apiKey = await PostAsync(server, "/chat", "key", header: ("X-Api-Key", "b"));
        using var azureKey = await PostAsync(server, "/chat", "key", header: ("Api-Key", "b"));
        using var cookie = await PostAsync(server, "/chat", "key", header: ("Cookie", "session=b"));

        foreach (var reused in new[] { body, target })
        {
            reused.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
            reused.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
            WireFormatTests.Header(reused, "Perennial-Starts").ShouldBe("once");
        }

        new[] { first, authorization, apiKey, azureKey, cookie }.Select(answer => answer.Content.Headers.ContentLocation)
            .Distinct()
            .Count()
            .ShouldBe(5);
        chat.Prompts.Count.ShouldBe(5);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_repeat_waits_while_the_first_request_is_being_handled()
    {
        var chat = new Chat { Holds = true };
        await using var server = await RunServer.StartAsync(map: chat.Map);

        var first = PostAsync(server, "/task", "key");
        await chat.IsCalled;
        var repeat = PostAsync(server, "/task", "key");
        chat.GoOn();

        (await repeat).Content.Headers.ContentLocation.ShouldNotBeNull().ShouldBe((await first).Content.Headers.ContentLocation);
        chat.Prompts.ShouldBe(["hello"]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_repeat_that_waited_for_too_long_is_asked_to_come_back()
    {
        var chat = new Chat { Holds = true };
        await using var server = await RunServer.StartAsync(options => options.Starts.MaxWait = TimeSpan.Zero, chat.Map);
        var first = PostAsync(server, "/task", "key");
        await chat.IsCalled;

        using var repeat = await PostAsync(server, "/task", "key");
        chat.GoOn();

        repeat.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        WireFormatTests.Header(repeat, "Retry-After").ShouldBe("1");
        (await first).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("refuse", HttpStatusCode.BadRequest)]
    [InlineData("throw", HttpStatusCode.InternalServerError)]
    public async Task A_request_that_started_no_run_leaves_its_key_free(string text, HttpStatusCode status)
    {
        var chat = new Chat();
        await using var server = await RunServer.StartAsync(map: chat.Map);

        using var first = await PostAsync(server, "/results", "key", text);
        using var again = await PostAsync(server, "/results", "key");

        first.StatusCode.ShouldBe(status);
        again.StatusCode.ShouldBe(HttpStatusCode.OK);
        chat.Prompts.ShouldBe([text, "hello"]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_key_or_body_beyond_its_limit_is_refused_before_the_handler()
    {
        var chat = new Chat();
        await using var server = await RunServer.StartAsync(options => options.Starts.MaxBodyBytes = 100, chat.Map);

        using var key = await PostAsync(server, "/chat", new string('k', 256));
        using var body = await PostAsync(server, "/chat", "key", new string('x', 101));
        using var chunked = await PostAsync(server, "/chat", "key", new string('x', 101), isChunked: true);

        key.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        body.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        chunked.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        chat.Prompts.ShouldBeEmpty();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_large_body_reaches_the_handler_whole()
    {
        var chat = new Chat();
        await using var server = await RunServer.StartAsync(map: chat.Map);
        var text = new string('x', 1_000_000);

        using var first = await PostAsync(server, "/chat", "key", text, isChunked: true);
        using var repeat = await PostAsync(server, "/chat", "key", text);

        repeat.Content.Headers.ContentLocation.ShouldNotBeNull().ShouldBe(first.Content.Headers.ContentLocation);
        chat.Prompts.ShouldHaveSingleItem().Length.ShouldBe(1_000_000);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_repeat_after_the_run_is_forgotten_is_gone_and_not_started_again()
    {
        var chat = new Chat();
        await using var server = await RunServer.StartAsync(options => options.FinishedRunRetention = TimeSpan.Zero, chat.Map);
        using var first = await PostAsync(server, "/chat", "key");
        await first.Content.ReadAsStringAsync(TestEnds);
        while ((await server.Client.GetAsync(first.Content.Headers.ContentLocation, TestEnds)).StatusCode != HttpStatusCode.NotFound)
        {
            await Task.Yield();
        }

        using var repeat = await PostAsync(server, "/chat", "key");

        repeat.StatusCode.ShouldBe(HttpStatusCode.Gone);
        chat.Prompts.ShouldBe(["hello"]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_request_without_a_key_starts_a_run_each_time_and_is_told_of_keys()
    {
        var chat = new Chat();
        await using var server = await RunServer.StartAsync(map: chat.Map);

        using var first = await PostAsync(server, "/chat", key: null);
        using var second = await PostAsync(server, "/chat", key: null);
        using var refused = await PostAsync(server, "/results", key: null, "refuse");

        second.Content.Headers.ContentLocation.ShouldNotBe(first.Content.Headers.ContentLocation);
        foreach (var answer in new[] { first, second, refused })
        {
            WireFormatTests.Header(answer, "Perennial-Starts").ShouldBe("once");
        }
    }

    /// <summary>The body without the heartbeat that the answer of a run without events begins with.</summary>
    private static async Task<string> EventsOf(HttpResponseMessage answer) =>
        (await answer.Content.ReadAsStringAsync(TestEnds)).TrimStart(':', '\n');

    private static async Task<HttpResponseMessage> PostAsync(
        RunServer server,
        string path,
        string? key,
        string text = "hello",
        (string Name, string Value)? header = null,
        bool isChunked = false)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(new Prompt(text)) };
        request.Headers.TransferEncodingChunked = isChunked;
        if (!isChunked)
        {
            await request.Content.LoadIntoBufferAsync(TestEnds);
        }

        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        if (header is { } extra)
        {
            request.Headers.TryAddWithoutValidation(extra.Name, extra.Value);
        }

        return await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);
    }

    private sealed record Prompt(string Text);

    /// <summary>Endpoints that answer a prompt with a run, and the prompts that their handlers saw.</summary>
    private sealed class Chat
    {
        private readonly TaskCompletionSource _isCalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<string> Prompts { get; } = [];

        public bool Holds { get; init; }

        public Task IsCalled => _isCalled.Task;

        public void GoOn() => _go.SetResult();

        public void Map(WebApplication app)
        {
            app.MapPost("/chat", (Prompt prompt, StreamRuns runs) => Answer(prompt, runs));
            app.MapPost("/task", async (Prompt prompt, StreamRuns runs) =>
            {
                _isCalled.TrySetResult();
                if (Holds)
                {
                    await _go.Task;
                }

                return Answer(prompt, runs);
            });
            app.MapPost("/value-task", ValueTask<StartedRun> (Prompt prompt, StreamRuns runs) => new(StartAsync(prompt, runs)));
            app.MapPost("/results", Results<StartingRun, BadRequest> (Prompt prompt, StreamRuns runs) =>
            {
                if (prompt.Text is "throw" or "refuse")
                {
                    Prompts.Add(prompt.Text);
                }

                if (prompt.Text is "throw")
                {
                    throw new InvalidOperationException("The model is away.");
                }

                return prompt.Text is "refuse" ? TypedResults.BadRequest() : Answer(prompt, runs);
            });
            app.MapPost("/marked", IResult (Prompt prompt, StreamRuns runs) => Answer(prompt, runs)).StartsOnce();
            app.MapPost(
                "/found",
                async Task<StreamRun> (Prompt prompt, StreamRuns runs) =>
                    (await runs.FindAsync((await StartAsync(prompt, runs)).Id, TestEnds))!);
        }

        private StartingRun Answer(Prompt prompt, StreamRuns runs)
        {
            Prompts.Add(prompt.Text);
            return runs.Start(async (writer, stop) => await writer.WriteAsync("answer", cancellationToken: stop));
        }

        private Task<StartedRun> StartAsync(Prompt prompt, StreamRuns runs)
        {
            Prompts.Add(prompt.Text);
            return runs.StartAsync(async (writer, stop) => await writer.WriteAsync("answer", cancellationToken: stop));
        }
    }
}
