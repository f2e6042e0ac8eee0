using Microsoft.Extensions.AI;
using Perennial.AspNetCore;
using Perennial.Chats.Tests.Support;
using Perennial.Tests.Fixtures;

namespace Perennial.Chats.Tests;

/// <summary>How an answer ends, as the reader of <see cref="PerennialChatClient"/> and the model see it.</summary>
public class EndingTests
{
    private static readonly ChatResponseUpdate Half = new(ChatRole.Assistant, "half ");

    [Fact]
    public async Task An_answer_without_a_finish_reason_fails_as_incomplete()
    {
        await using var server = await ChatServer.StartAsync(new ScriptedModel([Half]));

        (await FailureAsync(server)).ServerCode.ShouldBe("incomplete_answer");
    }

    [Fact]
    public async Task Text_after_a_finish_reason_needs_another_one()
    {
        ChatResponseUpdate[] cutInTheSecondPart =
        [
            new(ChatRole.Assistant, [new FunctionCallContent("1", "f")]),
            new() { FinishReason = ChatFinishReason.ToolCalls },
            new(ChatRole.Tool, [new FunctionResultContent("1", "42")]),
            Half,
        ];
        await using var server = await ChatServer.StartAsync(new ScriptedModel(cutInTheSecondPart));

        (await FailureAsync(server)).ServerCode.ShouldBe("incomplete_answer");
    }

    [Fact]
    public async Task A_finish_reason_is_not_required_where_the_application_says_so()
    {
        await using var server = await ChatServer.StartAsync(new ScriptedModel([Half]), new ChatRunOptions { RequireFinishReason = false });
        using var client = new PerennialChatClient(server.Chat);

        (await client.GetResponseAsync("hello").Soon()).Text.ShouldBe("half ");
    }

    [Fact]
    public async Task Failures_have_a_code_by_their_kind()
    {
        (await CodeOfAsync(new TimeoutException("x"))).ShouldBe("model_timeout");
        (await CodeOfAsync(new TaskCanceledException("x"))).ShouldBe("model_timeout");
        (await CodeOfAsync(new IOException("x"))).ShouldBe("model_unreachable");
        (await CodeOfAsync(new HttpRequestException("x"))).ShouldBe("model_unreachable");
        (await CodeOfAsync(new HttpRequestException("x", null, System.Net.HttpStatusCode.Unauthorized))).ShouldBe("model_failed");
        (await CodeOfAsync(new RunFailedException("Too long.", "context_length_exceeded"))).ShouldBe("context_length_exceeded");
    }

    [Fact]
    public async Task A_caller_that_cancels_leaves_the_answer_to_be_read_on()
    {
        var gate = new TaskCompletionSource();
        var whole = ScriptedModel.Words(3);
        var model = new ScriptedModel((_, stop) => Then(Half, ScriptedModel.PlayAfter(gate.Task, whole, stop)));
        await using var server = await ChatServer.StartAsync(model);
        using var client = new PerennialChatClient(server.Chat);

        var token = await ReadFirstThenCancelAsync(client);
        gate.SetResult();
        var rest = await client.GetStreamingResponseAsync([], new ChatOptions { ContinuationToken = token }).ToListAsync().Soon();

        ScriptedModel.TextOf(rest).ShouldBe(ScriptedModel.TextOf(whole));
        (model.Asked, model.Cancelled).ShouldBe((1, 0));
    }

    [Fact]
    public async Task A_caller_that_cancels_stops_the_model_where_that_is_chosen()
    {
        var model = new ScriptedModel((_, stop) => Then(Half, ScriptedModel.PlayAfter(new TaskCompletionSource().Task, [], stop)));
        await using var server = await ChatServer.StartAsync(model);
        using var client =
            new PerennialChatClient(new PerennialChatClientOptions { Endpoint = server.Chat, OnCancel = ChatCancellation.Stop });

        var token = await ReadFirstThenCancelAsync(client);
        await Patience.Until(() => model.Cancelled == 1, "the model is cancelled");

        await Should.ThrowAsync<OperationCanceledException>(
            client.GetStreamingResponseAsync([], new ChatOptions { ContinuationToken = token }).ToListAsync().AsTask()).Soon();
    }

    [Fact]
    public async Task A_caller_that_leaves_the_loop_stops_the_model_where_that_is_chosen()
    {
        var model = new ScriptedModel((_, stop) => Then(Half, ScriptedModel.PlayAfter(new TaskCompletionSource().Task, [], stop)));
        await using var server = await ChatServer.StartAsync(model);
        using var client =
            new PerennialChatClient(new PerennialChatClientOptions { Endpoint = server.Chat, OnCancel = ChatCancellation.Stop });

        await foreach (var update in client.GetStreamingResponseAsync("hello"))
        {
            break;
        }

        await Patience.Until(() => model.Cancelled == 1, "the model is cancelled");
    }

    [Fact]
    public async Task Another_process_stops_an_answer_by_its_token_and_no_reader_takes_it_for_whole()
    {
        var model = new ScriptedModel((_, stop) => Then(Half, ScriptedModel.PlayAfter(new TaskCompletionSource().Task, [], stop)));
        await using var server = await ChatServer.StartAsync(model);
        using var client = new PerennialChatClient(server.Chat);
        var reader = client.GetStreamingResponseAsync("hello").GetAsyncEnumerator();
        (await reader.MoveNextAsync().Soon()).ShouldBeTrue();
        var token = ResponseContinuationToken.FromBytes(reader.Current.ContinuationToken!.ToBytes().ToArray());

        using var elsewhere = new PerennialChatClient(server.Chat);
        await elsewhere.StopAsync(token).Soon();

        await Should.ThrowAsync<OperationCanceledException>(reader.MoveNextAsync().AsTask()).Soon();
        await reader.DisposeAsync();
        await elsewhere.StopAsync(token).Soon();
        await Patience.Until(() => model.Cancelled == 1, "the model is cancelled");
    }

    private static async Task<ResponseContinuationToken> ReadFirstThenCancelAsync(PerennialChatClient client)
    {
        using var cancel = new CancellationTokenSource();
        ResponseContinuationToken? token = null;
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in client.GetStreamingResponseAsync("hello", cancellationToken: cancel.Token))
            {
                token = update.ContinuationToken;
                await cancel.CancelAsync();
            }
        }).Soon();
        return token.ShouldNotBeNull();
    }

    private static async Task<TransportException> FailureAsync(ChatServer server)
    {
        using var client = new PerennialChatClient(server.Chat);
        return await Should.ThrowAsync<TransportException>(client.GetStreamingResponseAsync("hello").ToListAsync().AsTask()).Soon();
    }

    private static async Task<string?> CodeOfAsync(Exception failure)
    {
        await using var server = await ChatServer.StartAsync(new ScriptedModel((_, _) => throw failure));
        return (await FailureAsync(server)).ServerCode;
    }

    private static async IAsyncEnumerable<ChatResponseUpdate> Then(ChatResponseUpdate first, IAsyncEnumerable<ChatResponseUpdate> rest)
    {
        yield return first;
        await foreach (var update in rest)
        {
            yield return update;
        }
    }
}
