using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary>Half of an answer is never a success, whatever the provider's format.</summary>
public class ConnectDialectTests
{
    private const string Chunk = """data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}""" + "\n\n";

    [Fact(Timeout = Cli.Hang)]
    public async Task Half_an_answer_exits_with_1()
    {
        await using var server = ScriptedServer.Start(Script.Stream(Chunk));

        var run = await Cli.RunAsync("connect", server.Address.ToString(), "--transport", "sse", "--data", "hello");

        run.ExitCode.ShouldBe(1);
        run.Output.ShouldContain("Hel");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task A_whole_answer_exits_with_0()
    {
        await using var server = ScriptedServer.Start(Script.Stream(Chunk + "data: [DONE]\n\n"));

        (await Cli.RunAsync("connect", server.Address.ToString(), "--transport", "sse", "--data", "hello")).ExitCode.ShouldBe(0);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Without_dialects_the_end_of_the_body_is_the_end()
    {
        await using var server = ScriptedServer.Start(Script.Stream(Chunk));

        (await Cli.RunAsync("connect", server.Address.ToString(), "--transport", "sse", "--data", "hello", "--dialect", "none"))
            .ExitCode.ShouldBe(0);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task An_unknown_name_is_refused_with_those_there_are()
    {
        var run = await Cli.RunAsync("connect", "http://localhost/", "--dialect", "gpt");

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain(
            "--dialect must be one of openai-chat, openai-responses, anthropic, ollama, gemini, ai-sdk, ag-ui, mcp, a2a, recognized, none, not 'gpt'");
    }
}
