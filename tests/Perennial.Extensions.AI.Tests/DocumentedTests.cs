using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using Perennial.AspNetCore;
using Perennial.Chats.Tests.Support;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Chats.Tests;

/// <summary>The code of docs/ai.md does what the page says.</summary>
public class DocumentedTests
{
    [Fact]
    public async Task An_answer_is_read_and_gone_on_with()
    {
        var whole = ScriptedModel.Words(3);
        var model = new ScriptedModel(whole);
        await using var server =
            await ChatServer.StartAsync(app => app.MapPost("/chat", (ChatRequest r, StreamRuns runs) => runs.Start(model, r.Messages)));
        var saved = new List<byte[]>();

        (await Documented.AskAsync(server.Chat, "hello", saved.Add).Soon()).ShouldBe(ScriptedModel.TextOf(whole));
        (await Documented.GoOnAsync(server.Chat, saved[0]).Soon()).ShouldBe(ScriptedModel.TextOf(whole.Skip(1)));
        model.Asked.ShouldBe(1);
    }

    [Fact]
    public async Task The_sdk_reads_a_whole_answer()
    {
        await using var provider = ScriptedProvider.OpenAIChat.Start();

        using var chat = Documented.Connect(provider.BaseAddress, "key").GetChatClient("model").AsIChatClient();

        (await chat.GetStreamingResponseAsync("hello").ToChatResponseAsync().Soon()).Text.ShouldBe(ScriptedProvider.OpenAIChat.Text);
    }
}
