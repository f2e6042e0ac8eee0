namespace Perennial.Cli.Tests;

/// <summary>Bad usage: one line on stderr that names what is wrong and what is accepted, and exit code 2.</summary>
public class UsageTests
{
    private const string Url = "http://127.0.0.1:1/";

    [Theory(Timeout = Cli.Hang)]
    [InlineData(new string[] { }, "a command is missing")]
    [InlineData(new[] { "conect", Url }, "conect")]
    [InlineData(new[] { "connect" }, "URL")]
    [InlineData(new[] { "connect", "example.com" }, "URL must be")]
    [InlineData(new[] { "connect", "/path" }, "URL must be")]
    [InlineData(new[] { "connect", "ftp://example.com?secret" }, "URL must be")]
    [InlineData(new[] { "connect", "http://" }, "URL must be")]
    [InlineData(new[] { "connect", Url, "Authorization: Bearer secret" }, "one URL")]
    [InlineData(new[] { "connect", Url, "--nonsense" }, "--nonsense")]
    [InlineData(new[] { "connect", Url, "--tkae=secret" }, "--tkae")]
    [InlineData(new[] { "connect", Url, "--transport", "x" }, "--transport must be auto, sse, websocket, http-stream, long-poll or byte-stream, not 'x'")]
    [InlineData(new[] { "connect", "ws://127.0.0.1:1/?secret", "--transport", "sse" }, "URL must be absolute and start with http:// or https://")]
    [InlineData(new[] { "connect", "wss://127.0.0.1:1/?secret", "--transport", "long-poll" }, "URL must be")]
    [InlineData(new[] { "connect", Url, "--transport", "sse", "--heartbeat", "1000" }, "--heartbeat does not apply to the transport sse")]
    [InlineData(new[] { "connect", Url, "--transport", "sse", "--subprotocol", "a" }, "--subprotocol does not apply to the transport sse")]
    [InlineData(new[] { "connect", Url, "--transport", "http-stream", "--heartbeat", "1000" }, "--heartbeat does not apply to the transport http-stream")]
    [InlineData(new[] { "connect", Url, "--transport", "long-poll", "--data", "secret" }, "--data does not apply to the transport long-poll")]
    [InlineData(new[] { "connect", Url, "--transport", "long-poll", "--on-end", "reconnect" }, "--on-end does not apply to the transport long-poll")]
    [InlineData(new[] { "connect", "ws://127.0.0.1:1/", "--data", "secret" }, "--data does not apply to the transport websocket")]
    [InlineData(new[] { "connect", Url, "--transport", "websocket", "--method", "POST" }, "--method does not apply to the transport websocket")]
    [InlineData(new[] { "connect", Url, "--transport", "websocket", "--heartbeat", "9" }, "--heartbeat must be a whole number from 10 to 3600000, not '9'")]
    [InlineData(new[] { "connect", Url, "--transport", "websocket", "--subprotocol", "a b" }, "--subprotocol must hold tokens")]
    [InlineData(new[] { "connect", Url, "--transport", "byte-stream" }, "URL must be absolute and start with tcp://, tls:// or unix:")]
    [InlineData(new[] { "connect", "unix:/run/app.sock" }, "such as unix:/run/app.sock:/streams/7")]
    [InlineData(new[] { "connect", "tcp://127.0.0.1/streams/7" }, "must have a port")]
    [InlineData(new[] { "connect", "tcp://127.0.0.1:1/", "--data", "secret" }, "--data does not apply to the transport byte-stream")]
    [InlineData(new[] { "connect", Url, "--header", "secret" }, "--header must look like 'Name: value'")]
    [InlineData(new[] { "connect", Url, "--header", ": secret" }, "--header")]
    [InlineData(new[] { "connect", Url, "--header", "A b: secret" }, "--header")]
    [InlineData(new[] { "connect", Url, "--header", "A: secret\r\nB: secret" }, "--header")]
    [InlineData(new[] { "connect", Url, "--header", "A: secret\nmore" }, "--header")]
    [InlineData(new[] { "connect", Url, "--header", "A: secrét" }, "--header")]
    [InlineData(new[] { "connect", Url, "--header", "Last-Event-ID: 7" }, "--last-event-id")]
    [InlineData(new[] { "connect", Url, "--method", "GE T" }, "--method")]
    [InlineData(new[] { "connect", Url, "--method", "GET", "--data", "x" }, "--data")]
    [InlineData(new[] { "connect", Url, "--data", "@/no/such/file" }, "--data")]
    [InlineData(new[] { "connect", Url, "--last-event-id", "a\nb" }, "--last-event-id")]
    [InlineData(new[] { "connect", Url, "--retry-delay", "-1" }, "--retry-delay must be a whole number from 0 to 3600000, not '-1'")]
    [InlineData(new[] { "connect", Url, "--retry-delay", "3600001" }, "--retry-delay")]
    [InlineData(new[] { "connect", Url, "--max-retry-delay", "86400001" }, "--max-retry-delay")]
    [InlineData(new[] { "connect", Url, "--max-attempts", "many" }, "--max-attempts must be a whole number from 0 to 2147483647, not 'many'")]
    [InlineData(new[] { "connect", Url, "--idle-timeout", "0" }, "--idle-timeout")]
    [InlineData(new[] { "connect", Url, "--idle-timeout", "99999999999999999999" }, "--idle-timeout")]
    [InlineData(new[] { "connect", Url, "--connect-timeout", "0" }, "--connect-timeout")]
    [InlineData(new[] { "connect", Url, "--on-end", "stop" }, "--on-end must be complete, require-marker or reconnect, not 'stop'")]
    [InlineData(new[] { "connect", Url, "--buffer-size", "0" }, "--buffer-size must be a whole number from 1 to 1000000, not '0'")]
    [InlineData(new[] { "connect", Url, "--buffer-strategy", "drop" }, "--buffer-strategy must be block, drop-oldest, drop-newest or unlimited, not 'drop'")]
    [InlineData(new[] { "connect", Url, "--max-message-bytes", "0" }, "--max-message-bytes")]
    [InlineData(new[] { "connect", Url, "--take", "0" }, "--take")]
    [InlineData(new[] { "connect", Url, "--take", "1.5" }, "--take")]
    [InlineData(new[] { "connect", Url, "--take" }, "--take")]
    [InlineData(new[] { "connect", Url, "--take", "1", "--take", "2" }, "--take")]
    public async Task Is_answered_by_one_clear_line(string[] arguments, string expected)
    {
        var run = await Cli.RunAsync(arguments);

        run.ErrorLines.Length.ShouldBe(1, run.Error);
        run.Error.ShouldStartWith("perennial: ");
        run.Error.ShouldContain(expected);
        run.Error.ShouldNotContain("secr");
        run.Output.ShouldBeEmpty();
        run.ExitCode.ShouldBe(2);
    }

    [Theory(Timeout = Cli.Hang)]
    [InlineData("--retry-delay", "3600000")]
    [InlineData("--max-retry-delay", "86400000")]
    [InlineData("--max-attempts", "2147483647")]
    [InlineData("--idle-timeout", "86400000")]
    [InlineData("--connect-timeout", "3600000")]
    [InlineData("--buffer-size", "1000000")]
    [InlineData("--max-message-bytes", "1073741824")]
    public async Task Goes_as_far_as_the_library_does(string option, string value)
    {
        // Nothing listens on port 1: the program got as far as the network.
        (await Cli.RunAsync("connect", Url, "--no-reconnect", option, value)).ExitCode.ShouldBe(1);
    }

    [Theory(Timeout = Cli.Hang)]
    [InlineData("--help")]
    [InlineData("connect", "--help")]
    [InlineData("--version")]
    public async Task Is_explained_on_stdout_to_those_who_ask(params string[] arguments)
    {
        var run = await Cli.RunAsync(arguments);

        run.Output.ShouldNotBeEmpty();
        run.Error.ShouldBeEmpty();
        run.ExitCode.ShouldBe(0);
    }
}
