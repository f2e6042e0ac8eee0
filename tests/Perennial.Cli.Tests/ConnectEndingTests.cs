using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary>How <c>connect</c> ends, and the exit code that says so.</summary>
public class ConnectEndingTests
{
    [Theory(Timeout = Cli.Hang)]
    [InlineData(401)]
    [InlineData(404)]
    public async Task Fails_at_once_at_a_status_that_will_not_change(int status)
    {
        await using var server = ScriptedServer.Start(Script.Status(status));

        var run = await RunAsync(server);

        run.ExitCode.ShouldBe(1);
        run.ErrorLines[^1].ShouldStartWith($"perennial: failed: The server answered {status}");
        server.Requests.Count.ShouldBe(1);
    }

    [Theory(Timeout = Cli.Hang)]
    [InlineData("data: {\"error\":{\"message\":\"overloaded\",\"code\":\"x\"}}\n\n")]
    [InlineData("event: error\ndata: {\"message\":\"overloaded\",\"code\":\"x\"}\n\n")]
    public async Task Fails_when_the_stream_says_that_it_failed(string error)
    {
        await using var server = ScriptedServer.Start(Script.Stream("data: a\n\n" + error));

        var run = await RunAsync(server);

        run.ExitCode.ShouldBe(1);
        run.Output.ShouldBe("a\n");
        run.ErrorLines[^1].ShouldBe("perennial: failed: The run failed on the server. Server: overloaded (x)");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Shows_what_a_refusal_says()
    {
        await using var server = ScriptedServer.Start(exchange =>
            exchange.RespondAsync(401, "{\"error\":{\"message\":\"bad api key\",\"code\":\"invalid_api_key\"}}"));

        var run = await RunAsync(server);
        var json = await RunAsync(server, "--json");

        run.ErrorLines[^1].ShouldBe("perennial: failed: The server answered 401 (Unauthorized). Server: bad api key (invalid_api_key)");
        json.Lines[^2].ShouldBe(
            """{"event":"error","message":"The server answered 401 (Unauthorized).","code":"httpStatus","status":401,"serverMessage":"bad api key","serverCode":"invalid_api_key","recoverable":false}""");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Fails_at_a_response_that_is_no_event_stream()
    {
        await using var server = ScriptedServer.Start(Script.Status(200, ("Content-Type", "text/html")));

        var run = await RunAsync(server);

        run.ExitCode.ShouldBe(1);
        run.Error.ShouldContain("text/html");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Fails_when_the_attempts_are_spent()
    {
        await using var server = ScriptedServer.Start(Script.Status(503));

        var run = await RunAsync(server, "--max-attempts", "2", "--retry-delay", "0", "--json");

        run.ExitCode.ShouldBe(1);
        run.Lines[^2].ShouldContain("\"code\":\"attemptsExhausted\",\"status\":503,\"recoverable\":false");
        server.Requests.Count.ShouldBe(3);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Does_not_try_again_with_no_reconnect()
    {
        await using var server = ScriptedServer.Start(Script.Cut("id: 1\ndata: a\n\n"));

        var run = await RunAsync(server, "--no-reconnect");

        run.ExitCode.ShouldBe(1);
        run.Output.ShouldBe("a\n");
        server.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Fails_when_a_post_is_interrupted()
    {
        await using var server = ScriptedServer.Start(Script.Cut("id: 1\ndata: a\n\n"));

        var run = await RunAsync(server, "--data", "x", "--json");

        run.ExitCode.ShouldBe(1);
        run.Lines[^2].ShouldContain("\"code\":\"interrupted\",\"recoverable\":false");
        run.Lines[^1].ShouldBe("""{"event":"closed"}""");
        server.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Fails_when_the_server_refuses_what_it_was_to_send()
    {
        await using var server = ScriptedServer.Start(Script.Hold("data: a\n\n"), Script.Status(405));

        var run = await RunAsync(server, "--send", "x", "--json");

        run.ExitCode.ShouldBe(1);
        run.Lines[^2].ShouldContain("\"code\":\"sendRejected\",\"status\":405,\"recoverable\":false");
        run.Lines[^1].ShouldBe("""{"event":"closed"}""");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Fails_at_a_message_that_is_too_large()
    {
        await using var server = ScriptedServer.Start(Script.Stream($"data: {new string('x', 100)}\n\n"));

        var run = await RunAsync(server, "--max-message-bytes", "50", "--json");

        run.ExitCode.ShouldBe(1);
        run.Lines[^2].ShouldContain("\"code\":\"messageTooLarge\"");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Replaces_a_connection_that_stays_silent()
    {
        await using var server = ScriptedServer.Start(Script.Hold("id: 1\ndata: a\n\n"), Script.Stream("id: 2\ndata: b\n\n"));

        var run = await RunAsync(server, "--idle-timeout", "100", "--retry-delay", "0", "--json");

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldContain("\"code\":\"idleTimeout\",\"recoverable\":true");
        run.Output.ShouldContain("\"data\":\"b\"");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Gives_up_on_a_server_that_does_not_answer_in_time()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.WaitForClientCloseAsync());

        var run = await RunAsync(server, "--connect-timeout", "100", "--no-reconnect", "--json");

        run.ExitCode.ShouldBe(1);
        run.Output.ShouldContain("\"code\":\"connectTimeout\"");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Takes_an_end_without_marker_for_a_loss_where_one_is_required()
    {
        await using var server =
            ScriptedServer.Start(Script.Stream("id: 1\ndata: a\n\n"), Script.Stream("id: 2\ndata: b\n\ndata: [DONE]\n\n"));

        var run = await RunAsync(server, "--on-end", "require-marker", "--retry-delay", "0");

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldBe("a\nb\n");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Comes_back_after_every_end_of_a_feed_until_it_has_enough()
    {
        await using var server = ScriptedServer.Start(Script.Stream("id: 1\ndata: a\n\n"));

        var run = await RunAsync(server, "--on-end", "reconnect", "--retry-delay", "0", "--take", "3");

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldBe("a\na\na\n");
    }

    private static Task<CliResult> RunAsync(ScriptedServer server, params string[] options) =>
        Cli.RunAsync(["connect", server.Address.AbsoluteUri, "--transport", "sse", .. options]);
}
