using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>Messages to a producer by POST: recorded once, handled once, in order.</summary>
public class MessageTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_message_reaches_the_handler_as_it_was_and_once_however_often_it_comes()
    {
        await using var server = await RunServer.StartAsync();
        var inbox = new Inbox(expected: 5);
        var run = await server.Runs.StartAsync(inbox.WaitAsync, new RunOptions { OnMessage = inbox.TakeAsync });

        (await PostAsync(server, run, "one", key: "\"k1\"")).ShouldBe(HttpStatusCode.Accepted);
        (await PostAsync(server, run, "one", key: "\"k1\"")).ShouldBe(HttpStatusCode.Accepted);
        (await PostAsync(server, run, "one", key: "k1")).ShouldBe(HttpStatusCode.Accepted);
        (await PostAsync(server, run, "{\"n\": 2}", key: "k2", "application/json; charset=UTF-8")).ShouldBe(HttpStatusCode.Accepted);
        (await PostAsync(server, run, "same")).ShouldBe(HttpStatusCode.Accepted);
        (await PostAsync(server, run, "same")).ShouldBe(HttpStatusCode.Accepted);
        (await PostAsync(server, run, "", key: "k3", "application/octet-stream")).ShouldBe(HttpStatusCode.Accepted);

        (await run.Completion).ShouldBe(RunStatus.Completed);
        inbox.Messages.Select(message => message.Text).ShouldBe(["one", "{\"n\": 2}", "same", "same", ""]);
        inbox.Messages.Select(message => message.IsBinary).ShouldBe([false, false, false, false, true]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_key_belongs_to_its_sender_and_to_one_body()
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await WebSockets.OpenRun.StartAsync(server);

        (await PostAsync("one", "Bearer a")).ShouldBe(HttpStatusCode.Accepted);
        (await PostAsync("two", "Bearer b")).ShouldBe(HttpStatusCode.Accepted);
        (await PostAsync("one", "Bearer a")).ShouldBe(HttpStatusCode.Accepted);
        (await PostAsync("another", "Bearer a")).ShouldBe(HttpStatusCode.UnprocessableEntity);

        (await open.TextsAsync(2)).ShouldBe(["one", "two"]);

        async Task<HttpStatusCode> PostAsync(string text, string authorization)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, RunServer.PathOf(open.Run)) { Content = new StringContent(text) };
            request.Headers.Add("Authorization", authorization);
            request.Headers.Add("Idempotency-Key", "key");
            using var response = await server.Client.SendAsync(request, TestEnds);
            return response.StatusCode;
        }
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("text/plain", null, 1025, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("text/plain", null, 1024, HttpStatusCode.Accepted)]
    [InlineData("text/html", null, 1, HttpStatusCode.UnsupportedMediaType)]
    [InlineData("text/plain; charset=iso-8859-1", null, 1, HttpStatusCode.UnsupportedMediaType)]
    [InlineData("nonsense", null, 1, HttpStatusCode.UnsupportedMediaType)]
    [InlineData("text/plain", "\"\"", 1, HttpStatusCode.BadRequest)]
    [InlineData("text/plain", "with space", 1, HttpStatusCode.BadRequest)]
    [InlineData("text/plain", "one, two", 1, HttpStatusCode.BadRequest)]
    public async Task What_cannot_be_taken_is_refused_with_problem_details(
        string contentType, string? key, int length, HttpStatusCode expected)
    {
        await using var server = await RunServer.StartAsync(options => options.MaxMessageBytes = 1024);
        var end = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => end.Task, new RunOptions { OnMessage = (_, _) => Task.CompletedTask });

        foreach (var isChunked in (bool[])[false, true])
        {
            using var response = await SendAsync(server, run, new string('x', length), key, contentType, isChunked);
            response.StatusCode.ShouldBe(expected);
            if (expected != HttpStatusCode.Accepted)
            {
                await ShouldBeProblemAsync(response);
            }
        }

        end.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Text_that_is_not_utf8_is_refused()
    {
        await using var server = await RunServer.StartAsync();
        var end = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => end.Task, new RunOptions { OnMessage = (_, _) => Task.CompletedTask });
        using var content = new ByteArrayContent([0xff]);
        content.Headers.ContentType = new("text/plain");

        using var response = await server.Client.PostAsync(RunServer.PathOf(run), content, TestEnds);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        end.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_that_has_ended_or_takes_none_refuses_messages()
    {
        await using var server = await RunServer.StartAsync();
        var ended = await server.Runs.StartAsync((_, _) => Task.CompletedTask, new RunOptions { OnMessage = (_, _) => Task.CompletedTask });
        await ended.Completion;
        var end = new TaskCompletionSource();
        var deaf = await server.Runs.StartAsync((_, _) => end.Task);

        using var conflict = await SendAsync(server, ended, "late");
        using var notAllowed = await SendAsync(server, deaf, "hello?");
        using var notFound = await server.Client.PostAsync("/streams/no-such-run", new StringContent("x"), TestEnds);

        conflict.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        notAllowed.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        notAllowed.Content.Headers.Allow.ShouldBe(["GET", "HEAD", "DELETE"]);
        notFound.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        foreach (var response in (HttpResponseMessage[])[conflict, notAllowed, notFound])
        {
            await ShouldBeProblemAsync(response);
        }

        end.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Messages_are_handled_one_at_a_time_and_too_many_are_asked_to_wait()
    {
        await using var server = await RunServer.StartAsync(options => options.MaxPendingMessageBytes = 300);
        var (entered, go) = (new SemaphoreSlim(0), new SemaphoreSlim(0));
        var (inside, most) = (0, 0);
        var end = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => end.Task, new RunOptions
        {
            OnMessage = async (_, stop) =>
            {
                most = Math.Max(most, Interlocked.Increment(ref inside));
                entered.Release();
                await go.WaitAsync(stop);
                Interlocked.Decrement(ref inside);
            },
        });

        var taken = 0;
        HttpResponseMessage refused;
        while ((refused = await SendAsync(server, run, new string('x', 36), key: $"k{taken}")).StatusCode == HttpStatusCode.Accepted)
        {
            taken++;
        }

        refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        WireFormatTests.Header(refused, "Retry-After").ShouldBe("1");
        await ShouldBeProblemAsync(refused);
        go.Release(taken);
        for (var n = 0; n < taken; n++)
        {
            await entered.WaitAsync(TestEnds);
        }

        taken.ShouldBeInRange(3, 4);
        most.ShouldBe(1);
        end.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_message_that_cannot_be_handled_fails_the_run_and_cancels_its_producer()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync(
            (_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop),
            new RunOptions { OnMessage = (message, _) => throw new RunFailedException($"Cannot do {message.Text}.", "cannot") });

        (await PostAsync(server, run, "it")).ShouldBe(HttpStatusCode.Accepted);

        (await server.ReadAsync(run)).ShouldContain("""{"error":{"message":"Cannot do it.","code":"cannot"}}""");
        (await run.Completion).ShouldBe(RunStatus.Failed);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_handler_may_write_to_the_run_and_is_told_when_it_ends()
    {
        await using var server = await RunServer.StartAsync();
        var isCancelled = new TaskCompletionSource();
        var writing = new TaskCompletionSource<RunWriter>();
        var run = await server.Runs.StartAsync(
            async (writer, stop) =>
            {
                writing.SetResult(writer);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            },
            new RunOptions
            {
                OnMessage = async (message, stop) =>
                {
                    await (await writing.Task).WriteAsync($"echo {message.Text}", cancellationToken: stop);
                    stop.Register(isCancelled.SetResult);
                    await isCancelled.Task;
                },
            });

        await PostAsync(server, run, "hello");
        using var response = await server.OpenAsync(run);
        await foreach (var item in RunServer.EventsOf(response))
        {
            item.Data.ShouldBe("echo hello");
            break;
        }

        await run.StopAsync(TestEnds);
        await isCancelled.Task;
        (await run.Completion).ShouldBe(RunStatus.Stopped);
    }

    [Theory(Timeout = 2 * RunServer.Hang)]
    [InlineData(ReaderForm.Sse)]
    [InlineData(ReaderForm.JsonLines)]
    [InlineData(ReaderForm.LongPoll)]
    public async Task What_the_client_library_sends_over_a_line_that_breaks_arrives_once_and_in_order(ReaderForm form)
    {
        const int count = 200;
        var seed = Random.Shared.Next();
        // After a cut a long poll sends when it is answered again, if only by 204.
        await using var server = await RunServer.StartAsync(options => options.LongPollHold = TimeSpan.FromMilliseconds(20));
        var inbox = new Inbox(count);
        var isConfirmed = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await inbox.WaitAsync(writer, stop);
            await isConfirmed.Task.WaitAsync(stop);     // the end of the run would end the transport
        }, new RunOptions { OnMessage = inbox.TakeAsync });
        var faults = new RandomFaults { Seed = seed, MaxBytes = 3000, CutModes = [CutMode.Reset] };
        await using var proxy = FaultProxy.Start(server.Address, faults.PlanFor);
        await using var transport = form.NewTransport(new Uri(proxy.Address, RunServer.PathOf(run)));
        await transport.ConnectAsync(TestEnds);

        for (var n = 1; n <= count; n++)
        {
            var sending = transport.SendAsync($"{n}", TestEnds);
            if (n % 20 == 0)
            {
                proxy.CutAll();
            }

            (await sending).ShouldBe(SendOutcome.Acknowledged, $"seed {seed}");
        }

        isConfirmed.SetResult();
        await run.Completion;
        inbox.Messages.Select(message => message.Text).ShouldBe(Enumerable.Range(1, count).Select(n => $"{n}"), $"seed {seed}");
        proxy.Cuts.ShouldBeGreaterThan(0);
    }

    private static async Task<HttpStatusCode> PostAsync(
        RunServer server, StreamRun run, string body, string? key = null, string contentType = "text/plain")
    {
        using var response = await SendAsync(server, run, body, key, contentType);
        return response.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        RunServer server, StreamRun run, string body, string? key = null, string contentType = "text/plain", bool isChunked = false)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, RunServer.PathOf(run)) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        request.Headers.TransferEncodingChunked = isChunked;
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        return await server.Client.SendAsync(request, TestEnds);
    }

    private static async Task ShouldBeProblemAsync(HttpResponseMessage response)
    {
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        (await response.Content.ReadFromJsonAsync<JsonElement>(TestEnds))
            .GetProperty("status")
            .GetInt32()
            .ShouldBe((int)response.StatusCode);
    }

    /// <summary>The producer's side: takes so many messages, then ends the run.</summary>
    private sealed class Inbox(int expected)
    {
        private readonly TaskCompletionSource _isFull = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<RunMessage> Messages { get; } = new();

        public Task WaitAsync(RunWriter writer, CancellationToken stop) => _isFull.Task.WaitAsync(stop);

        public Task TakeAsync(RunMessage message, CancellationToken stop)
        {
            Messages.Enqueue(message);
            if (Messages.Count == expected)
            {
                _isFull.SetResult();
            }

            return Task.CompletedTask;
        }
    }
}
