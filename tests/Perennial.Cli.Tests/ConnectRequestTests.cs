using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary>What <c>connect</c> asks the server for.</summary>
public class ConnectRequestTests
{
    [Fact(Timeout = Cli.Hang)]
    public async Task Gets_an_event_stream()
    {
        var request = await RequestOfAsync();

        request.Method.ShouldBe("GET");
        request.Header("Accept").ShouldBe("text/event-stream");
        request.Header("Last-Event-ID").ShouldBeNull();
        request.Body.Length.ShouldBe(0);
    }

    [Theory(Timeout = Cli.Hang)]
    [InlineData("""{"prompt":"Grüße"}""", "application/json")]
    [InlineData("plain words", "text/plain; charset=utf-8")]
    [InlineData("", "text/plain; charset=utf-8")]
    public async Task Posts_data_with_the_content_type_it_looks_like(string data, string contentType)
    {
        var request = await RequestOfAsync("--data", data);

        request.Method.ShouldBe("POST");
        request.Header("Content-Type").ShouldBe(contentType);
        request.Text.ShouldBe(data);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Lets_a_header_choose_the_content_type()
    {
        var request = await RequestOfAsync("--data", "{}", "--header", "content-type: application/x-custom");

        request.Header("Content-Type").ShouldBe("application/x-custom");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Reads_data_from_a_file()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, """{"from":"file"}""", TestContext.Current.CancellationToken);

            var request = await RequestOfAsync("--data", $"@{file}");

            request.Text.ShouldBe("""{"from":"file"}""");
            request.Header("Content-Type").ShouldBe("application/json");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Reads_data_from_standard_input()
    {
        await using var server = ScriptedServer.Start(Script.Stream("data: a\n\n"));
        await using var cli = Cli.Start("connect", server.Address.AbsoluteUri, "--transport", "sse", "--data", "@-");
        await cli.Input.WriteAsync("from stdin");
        cli.Input.Close();

        (await cli.EndAsync()).ExitCode.ShouldBe(0);
        server.Requests[0].Text.ShouldBe("from stdin");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Uses_the_method_it_is_told()
    {
        var request = await RequestOfAsync("--method", "put", "--data", "x");

        request.Method.ShouldBe("PUT");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Sends_every_header()
    {
        var request = await RequestOfAsync(
            "--header", "Authorization: Bearer abc", "--header", "X-Empty:", "--header", "X-Twice: 1", "--header", "x-twice: 2",
            "--header",
            "Cookie: a=1",
            "--header",
            "Cookie: b=2",
            "--header",
            "X-Colons: a:b:c",
            "--header",
            "Accept: text/event-stream, */*");

        request.Header("Authorization").ShouldBe("Bearer abc");
        request.Header("X-Empty").ShouldBe("");
        request.Header("X-Twice").ShouldBe("1, 2");
        request.Header("Cookie").ShouldBe("a=1; b=2");
        request.Header("X-Colons").ShouldBe("a:b:c");
        request.Header("Accept").ShouldBe("text/event-stream, */*");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Starts_after_the_given_id_and_goes_on_after_the_last_message()
    {
        await using var server = ScriptedServer.Start(Script.Cut("id: 8\ndata: a\n\n"), Script.Stream("id: 9\ndata: b\n\n"));

        var run =
            await Cli.RunAsync("connect", server.Address.AbsoluteUri, "--transport", "sse", "--last-event-id", "7", "--retry-delay", "0");

        run.Output.ShouldBe("a\nb\n");
        server.Requests.Select(request => request.Header("Last-Event-ID")).ShouldBe(["7", "8"]);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Repeats_a_post_only_where_it_is_allowed_to()
    {
        await using var server = ScriptedServer.Start(Script.Cut("id: 1\ndata: a\n\n"), Script.Stream("id: 2\ndata: b\n\n"));

        var run = await Cli.RunAsync(
            "connect", server.Address.AbsoluteUri, "--transport", "sse", "--data", "x", "--allow-replay", "--retry-delay", "0");

        run.Output.ShouldBe("a\nb\n");
        server.Requests.Select(request => request.Text).ShouldBe(["x", "x"]);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Posts_each_text_to_send_in_order_while_it_reads()
    {
        var bothSent = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(
            async exchange =>
            {
                await exchange.StartEventStreamAsync();
                await bothSent.Task.WaitAsync(exchange.Stopping);
                await exchange.WriteChunkAsync("data: answer\n\n");
                await exchange.EndChunksAsync();
            },
            exchange => exchange.RespondAsync(204),
            async exchange =>
            {
                await exchange.RespondAsync(204);
                bothSent.SetResult();
            });

        var run = await Cli.RunAsync("connect", server.Address.AbsoluteUri, "--transport", "sse", "--send", "one", "--send", "two");

        run.Output.ShouldBe("answer\n");
        run.ExitCode.ShouldBe(0);
        server.Requests.Select(request => (request.Method, request.Text)).ShouldBe([("GET", ""), ("POST", "one"), ("POST", "two")]);
    }

    private static async Task<RecordedRequest> RequestOfAsync(params string[] options)
    {
        await using var server = ScriptedServer.Start(Script.Stream("data: a\n\n"));
        var run = await Cli.RunAsync(["connect", server.Address.AbsoluteUri, "--transport", "sse", .. options]);
        run.ExitCode.ShouldBe(0, run.Error);
        return server.Requests.Single();
    }
}
