using System.Text;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests;

public class WireFormatTests
{
    [Fact(Timeout = RunServer.Hang)]
    public async Task A_small_run_is_exactly_these_bytes()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("Hel", cancellationToken: stop);
            await writer.WriteAsync("""{"n":1}"""u8.ToArray(), "tool", stop);
            await writer.WriteJsonAsync("grün", TestJson.Default.String, cancellationToken: stop);
        });
        await run.Completion;
        var epoch = run.Epoch;

        (await server.ReadAsync(run)).ShouldBe(
            $"id: {epoch}-1\ndata: Hel\n\n" +
            $"id: {epoch}-2\nevent: tool\ndata: {{\"n\":1}}\n\n" +
            $"id: {epoch}-3\ndata: \"gr\\u00FCn\"\n\n" +
            $"id: {epoch}-4\nevent: perennial.completed\ndata: [DONE]\n\n");
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("", "data: \n")]
    [InlineData("a\nb", "data: a\ndata: b\n")]
    [InlineData("a\rb", "data: a\ndata: b\n")]
    [InlineData("a\r\nb", "data: a\ndata: b\n")]
    [InlineData("a\n\rb", "data: a\ndata: \ndata: b\n")]
    [InlineData("\r\n", "data: \ndata: \n")]
    [InlineData(" two\n leading", "data:  two\ndata:  leading\n")]
    [InlineData("id: forged\n\nevent: forged", "data: id: forged\ndata: \ndata: event: forged\n")]
    [InlineData("héllo 🌿", "data: héllo 🌿\n")]
    public async Task Data_becomes_one_data_line_per_line(string data, string lines)
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync(data);

        (await server.ReadAsync(run)).ShouldStartWith($"id: {run.Epoch}-1\n{lines}\nid: ");
    }

    [Theory]
    [InlineData("a\rb")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    [InlineData("perennial.completed")]
    public async Task An_event_type_that_would_break_or_forge_the_stream_is_refused(string eventType)
    {
        using var store = new MemoryRunStore(Options.Create(new PerennialServerOptions()), TimeProvider.System);
        var log = await store.CreateAsync(new NewRun { Id = "id", Epoch = "epoch" }, CancellationToken.None);
        var writer = new RunWriter(log, CancellationToken.None);

        await Should.ThrowAsync<ArgumentException>(async () => await writer.WriteAsync("data", eventType, CancellationToken.None));
        (await log.GetStateAsync(CancellationToken.None)).Tail.ShouldBe(0);
    }

    [Fact]
    public async Task Data_that_is_not_unicode_is_refused()
    {
        using var store = new MemoryRunStore(Options.Create(new PerennialServerOptions()), TimeProvider.System);
        var log = await store.CreateAsync(new NewRun { Id = "id", Epoch = "epoch" }, CancellationToken.None);
        var writer = new RunWriter(log, CancellationToken.None);

        await Should.ThrowAsync<ArgumentException>(async () => await writer.WriteAsync(new byte[] { 0xff }, null, CancellationToken.None));
        await Should.ThrowAsync<ArgumentException>(async () => await writer.WriteAsync("half \ud83c", null, CancellationToken.None));
        (await log.GetStateAsync(CancellationToken.None)).Tail.ShouldBe(0);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Headers_say_what_the_response_is_and_arrive_before_any_event()
    {
        await using var server = await RunServer.StartAsync(options => options.HeartbeatInterval = TimeSpan.FromSeconds(7.5));
        var go = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => go.Task);

        using var response = await server.OpenAsync(run);

        response.StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
        response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        Header(response, "Cache-Control").ShouldBe("no-store, no-transform");
        Header(response, "X-Accel-Buffering").ShouldBe("no");
        Header(response, "Perennial-Protocol").ShouldBe("1");
        Header(response, "Perennial-Heartbeat").ShouldBe("7.5");
        Header(response, "Perennial-Cursor").ShouldBe($"{run.Epoch}-0");
        go.SetResult();
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("text/event-stream", ":\n")]
    [InlineData("application/x-ndjson", "{\"type\":\"perennial.heartbeat\"}\n")]
    public async Task The_first_bytes_come_at_once_although_there_is_no_event(string form, string first)
    {
        await using var server = await RunServer.StartAsync();
        var go = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => go.Task);
        using var request = new HttpRequestMessage(HttpMethod.Get, RunServer.PathOf(run));
        request.Headers.Add("Accept", form);

        using var response =
            await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var bytes = new byte[first.Length];
        await stream.ReadExactlyAsync(bytes, TestContext.Current.CancellationToken);

        Encoding.UTF8.GetString(bytes).ShouldBe(first);
        go.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Silence_is_filled_with_comments_that_dispatch_nothing()
    {
        await using var server = await RunServer.StartAsync(options => options.HeartbeatInterval = TimeSpan.FromMilliseconds(5));
        var go = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await go.Task;
            await writer.WriteAsync("after the silence", cancellationToken: stop);
        });

        using var response = await server.OpenAsync(run);
        await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var beats = new byte[6];
        await stream.ReadExactlyAsync(beats, TestContext.Current.CancellationToken);
        go.SetResult();
        using var reader = new StreamReader(stream);
        var rest = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);

        Encoding.UTF8.GetString(beats).ShouldBe(":\n:\n:\n");
        rest.Replace(":\n", "", StringComparison.Ordinal).ShouldBe(
            $"id: {run.Epoch}-1\ndata: after the silence\n\n" +
            $"id: {run.Epoch}-2\nevent: perennial.completed\ndata: [DONE]\n\n");
    }

    internal static string Header(HttpResponseMessage response, string name) => string.Join(", ", response.Headers.GetValues(name));
}
