using System.Text.Json;
using Microsoft.Extensions.AI;
using Perennial.Chats.Tests.Support;
using Perennial.Auto;
using Perennial.HttpStreams;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.WebSockets;

namespace Perennial.Chats.Tests;

public class PerennialChatClientTests
{
    [Fact]
    public async Task Updates_arrive_as_the_model_gave_them()
    {
        var whole = ScriptedModel.Words(5);
        await using var server = await ChatServer.StartAsync(new ScriptedModel(whole));
        using var client = new PerennialChatClient(server.Chat);

        var updates = await client.GetStreamingResponseAsync("hello").ToListAsync().Soon();

        updates.Select(Json).ShouldBe(whole.Select(Json));
    }

    [Fact]
    public async Task Calls_reasoning_errors_and_finish_reasons_pass_unchanged()
    {
        ChatResponseUpdate[] whole =
        [
            new(
                ChatRole.Assistant,
                [new TextReasoningContent("because")]) { ModelId = "m", CreatedAt = DateTimeOffset.UnixEpoch, AuthorName = "a" },
            new(ChatRole.Assistant, [new FunctionCallContent("1", "f", new Dictionary<string, object?> { ["x"] = "one\ntwo" })]),
            new(ChatRole.Assistant, [new ErrorContent("not now") { ErrorCode = "busy" }]),
            new(ChatRole.Assistant, [new DataContent(new byte[] { 1, 2, 3 }, "image/png")]),
            new() { FinishReason = ChatFinishReason.ToolCalls, AdditionalProperties = new() { ["k"] = "v" } },
        ];
        await using var server = await ChatServer.StartAsync(new ScriptedModel(whole));
        using var client = new PerennialChatClient(server.Chat);

        var updates = await client.GetStreamingResponseAsync("hello").ToListAsync().Soon();

        updates.Select(Json).ShouldBe(whole.Select(Json));
    }

    [Fact]
    public async Task A_whole_response_has_text_usage_and_finish_reason_and_no_token()
    {
        var whole = ScriptedModel.Words(5);
        await using var server = await ChatServer.StartAsync(new ScriptedModel(whole));
        using var client = new PerennialChatClient(server.Chat);

        var response = await client.GetResponseAsync("hello").Soon();

        response.Text.ShouldBe(ScriptedModel.TextOf(whole));
        response.Usage!.OutputTokenCount.ShouldBe(5);
        response.FinishReason.ShouldBe(ChatFinishReason.Stop);
        response.ContinuationToken.ShouldBeNull();
    }

    [Fact]
    public async Task Messages_options_and_declarations_of_tools_reach_the_model()
    {
        var model = new ScriptedModel(ScriptedModel.Words(1));
        await using var server = await ChatServer.StartAsync(model);
        using var client = new PerennialChatClient(server.Chat);
        var add = AIFunctionFactory.Create((int a, int b) => a + b, "add", "Adds.");

        await client.GetResponseAsync(
            [new ChatMessage(ChatRole.System, "brief"), new ChatMessage(ChatRole.User, "1+1")],
            new ChatOptions { Temperature = 0.5f, Tools = [add] }).Soon();

        model.Messages.Select(message => (message.Role.Value, message.Text)).ShouldBe([("system", "brief"), ("user", "1+1")]);
        model.Options!.Temperature.ShouldBe(0.5f);
        var declared = model.Options.Tools!.ShouldHaveSingleItem().ShouldBeAssignableTo<AIFunctionDeclaration>()!;
        (declared.Name, declared.Description).ShouldBe(("add", "Adds."));
        declared.JsonSchema.ToString().ShouldBe(add.JsonSchema.ToString());
    }

    [Theory]
    [InlineData("7")]
    [InlineData("{}")]
    [InlineData("""{"messages":null}""")]
    [InlineData("""{"messages":[{"role":7}]}""")]
    [InlineData("""{"messages":[],"tools":[{"name":7}]}""")]
    public async Task A_request_that_is_no_chat_is_refused_and_the_model_is_not_asked(string body)
    {
        var model = new ScriptedModel(ScriptedModel.Words(1));
        await using var server = await ChatServer.StartAsync(model);
        using var http = new HttpClient();

        using var response = await http.PostAsync(server.Chat, new StringContent(body, null, "application/json")).Soon();

        ((int)response.StatusCode, model.Asked).ShouldBe((400, 0));
    }

    [Fact]
    public async Task A_sequence_that_is_enumerated_again_does_not_ask_again()
    {
        var model = new ScriptedModel(ScriptedModel.Words(1));
        await using var server = await ChatServer.StartAsync(model);
        using var client = new PerennialChatClient(server.Chat);
        var updates = client.GetStreamingResponseAsync("hello");
        await updates.ToListAsync().Soon();

        await Should.ThrowAsync<InvalidOperationException>(updates.ToListAsync().AsTask()).Soon();
        model.Asked.ShouldBe(1);
    }

    [Fact]
    public void Options_that_cannot_work_are_named()
    {
        var endpoint = new Uri("http://127.0.0.1:1/chat");

        Should.Throw<ArgumentException>(
            () => new PerennialChatClient(new Uri("/chat", UriKind.Relative))).Message.ShouldContain("Endpoint");
        Should.Throw<ArgumentException>(() =>
            new PerennialChatClient(
                new PerennialChatClientOptions { Endpoint = endpoint, StopTimeout = TimeSpan.Zero })).Message.ShouldContain("StopTimeout");
        Should.Throw<ArgumentException>(() =>
            new PerennialChatClient(
                new PerennialChatClientOptions { Endpoint = endpoint, OnCancel = (ChatCancellation)7 })).Message.ShouldContain("OnCancel");
        Should.Throw<ArgumentException>(() =>
            new ResumableStreamHandler(new ResumableStreamOptions { IdleTimeout = TimeSpan.Zero })).Message.ShouldContain("IdleTimeout");
        Should.Throw<ArgumentException>(() =>
            new ResumableStreamHandler(new ResumableStreamOptions { OnCancel = (ChatCancellation)7 })).Message.ShouldContain("OnCancel");
    }

    [Fact]
    public async Task What_cannot_be_sent_is_refused_by_name()
    {
        using var client = new PerennialChatClient(new Uri("http://127.0.0.1:1/chat"));

        Should.Throw<NotSupportedException>(
            () => client.GetStreamingResponseAsync("x", new ChatOptions { Tools = [new HostedWebSearchTool()] }))
            .Message.ShouldContain("web_search");
        Should.Throw<NotSupportedException>(
            () => client.GetStreamingResponseAsync("x", new ChatOptions { RawRepresentationFactory = _ => null }))
            .Message.ShouldContain("RawRepresentationFactory");
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Another_client_goes_on_from_the_bytes_of_each_token()
    {
        var whole = ScriptedModel.Words(4);
        var model = new ScriptedModel(whole);
        await using var server = await ChatServer.StartAsync(model);
        using var first = new PerennialChatClient(server.Chat);
        var updates = await first.GetStreamingResponseAsync("hello").ToListAsync().Soon();

        for (var i = 0; i < updates.Count; i++)
        {
            var token = ResponseContinuationToken.FromBytes(updates[i].ContinuationToken!.ToBytes().ToArray());
            using var second = new PerennialChatClient(server.Chat);
            var rest = await second.GetStreamingResponseAsync([], new ChatOptions { ContinuationToken = token }).ToListAsync().Soon();
            rest.Select(Json).ShouldBe(whole.Skip(i + 1).Select(Json));
        }

        model.Asked.ShouldBe(1);
    }

    [Fact]
    public async Task A_lost_line_in_mid_answer_is_not_seen_by_the_caller()
    {
        var whole = ScriptedModel.Words(50);
        var model = new ScriptedModel(whole);
        await using var server = await ChatServer.StartAsync(model);
        await using var proxy =
            FaultProxy.Start(server.Address, FaultPlan.InOrder(FaultPlan.Cut(1500), FaultPlan.Cut(2500, CutMode.Close), FaultPlan.None));
        using var client = new PerennialChatClient(new Uri(proxy.Address, "/chat"));

        var updates = await client.GetStreamingResponseAsync("hello").ToListAsync().Soon();

        updates.Select(Json).ShouldBe(whole.Select(Json));
        (model.Asked, proxy.Cuts).ShouldBe((1, 2));
    }

    [Theory]
    [InlineData("ndjson")]
    [InlineData("auto")]
    public async Task It_works_over_other_transports_that_can_post(string kind)
    {
        var whole = ScriptedModel.Words(50);
        var model = new ScriptedModel(whole);
        await using var server = await ChatServer.StartAsync(model);
        await using var proxy = FaultProxy.Start(server.Address, FaultPlan.InOrder(FaultPlan.Cut(1500), FaultPlan.None));
        using var client = new PerennialChatClient(new PerennialChatClientOptions
        {
            Endpoint = new Uri(proxy.Address, "/chat"),
            CreateTransport = request => kind switch
            {
                "ndjson" => new HttpStreamTransport(new HttpStreamTransportOptions
                {
                    Endpoint = request.Endpoint, Body = request.Body, ResumeFrom = request.ResumeFrom, Classify = PerennialChatClientOptions.EndsOnlyByProtocol,
                }),
                _ => new AutoTransport(new AutoTransportOptions
                {
                    Endpoint = request.Endpoint, Body = request.Body, ResumeFrom = request.ResumeFrom, Classify = PerennialChatClientOptions.EndsOnlyByProtocol,
                }),
            },
        });

        var updates = await client.GetStreamingResponseAsync("hello").ToListAsync().Soon();
        var rest = await client.GetStreamingResponseAsync([], new ChatOptions { ContinuationToken = updates[9].ContinuationToken })
            .ToListAsync()
            .Soon();

        updates.Select(Json).ShouldBe(whole.Select(Json));
        rest.Select(Json).ShouldBe(whole.Skip(10).Select(Json));
        model.Asked.ShouldBe(1);
    }

    [Fact]
    public async Task It_reads_on_over_a_WebSocket()
    {
        var whole = ScriptedModel.Words(5);
        await using var server = await ChatServer.StartAsync(new ScriptedModel(whole));
        using var first = new PerennialChatClient(server.Chat);
        var updates = await first.GetStreamingResponseAsync("hello").ToListAsync().Soon();
        using var second = new PerennialChatClient(new PerennialChatClientOptions
        {
            Endpoint = server.Chat,
            CreateTransport = request =>
                new WebSocketTransport(new WebSocketTransportOptions { Endpoint = request.Endpoint, ResumeFrom = request.ResumeFrom }),
        });

        var rest = await second.GetStreamingResponseAsync([], new ChatOptions { ContinuationToken = updates[1].ContinuationToken })
            .ToListAsync()
            .Soon();

        rest.Select(Json).ShouldBe(whole.Skip(2).Select(Json));
    }

    [Fact]
    public async Task An_answer_that_the_server_no_longer_has_exactly_throws()
    {
        await using var server = ScriptedServer.Start(
            async exchange =>
            {
                await exchange.StartEventStreamAsync(("Perennial-Protocol", "1"), ("Content-Location", "/runs/1"));
                await exchange.WriteChunkAsync("id: e-1\ndata: {\"contents\":[{\"$type\":\"text\",\"text\":\"one \"}]}\n\n");
                await exchange.ResetAsync();
            },
            async exchange =>
            {
                await exchange.StartEventStreamAsync(("Perennial-Protocol", "1"));
                await exchange.WriteChunkAsync("event: perennial.gap\ndata: {\"requested\":\"e-1\",\"resumesAt\":\"f-1\"}\n\n");
                await exchange.WriteChunkAsync(
                    "id: f-1\ndata: {\"contents\":[{\"$type\":\"text\",\"text\":\"one \"}]}\n\nevent: perennial.completed\ndata: [DONE]\n\n");
                await exchange.EndChunksAsync();
            });
        using var client = new PerennialChatClient(new Uri(server.Address, "/chat"));
        var texts = new List<string>();

        (await Should.ThrowAsync<TransportException>(async () =>
        {
            await foreach (var update in client.GetStreamingResponseAsync("hello"))
            {
                texts.Add(update.Text);
            }
        }).Soon()).Code.ShouldBe(TransportErrorCode.Interrupted);

        texts.ShouldBe(["one "]);
    }

    [Fact]
    public async Task An_answer_of_a_server_that_is_not_Perennial_never_passes_as_whole()
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync("data: {\"contents\":[{\"$type\":\"text\",\"text\":\"half\"}]}\n\ndata: [DONE]\n\n");
            await exchange.EndChunksAsync();
        });
        using var client = new PerennialChatClient(new Uri(server.Address, "/chat"));

        await Should.ThrowAsync<TransportException>(client.GetStreamingResponseAsync("hello").ToListAsync().AsTask()).Soon();
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_failed_model_throws_with_code_and_without_its_secrets()
    {
        await using var server =
            await ChatServer.StartAsync(new ScriptedModel((_, stop) => Failing(new InvalidOperationException("key sk-12345"))));
        using var client = new PerennialChatClient(server.Chat);
        var texts = new List<string>();

        var thrown = await Should.ThrowAsync<TransportException>(async () =>
        {
            await foreach (var update in client.GetStreamingResponseAsync("hello"))
            {
                texts.Add(update.Text);
            }
        }).Soon();

        (thrown.Code, thrown.ServerCode).ShouldBe((TransportErrorCode.ServerFailed, "model_failed"));
        thrown.ToString().ShouldNotContain("sk-12345");
        thrown.ServerMessage!.ShouldNotContain("sk-12345");
        texts.ShouldBe(["half "]);
    }

    [Fact]
    public async Task A_token_of_another_origin_or_form_is_refused()
    {
        using var client = new PerennialChatClient(new Uri("http://127.0.0.1:1/chat"));
        var elsewhere = ResponseContinuationToken.FromBytes("""{"url":"http://evil.example/streams/1","lastEventId":"e-1"}"""u8.ToArray());
        var foreign = ResponseContinuationToken.FromBytes(new byte[] { 1, 2, 3 });

        Should.Throw<ArgumentException>(
            () => client.GetStreamingResponseAsync([], new ChatOptions { ContinuationToken = elsewhere })).Message.ShouldContain("origin");
        Should.Throw<ArgumentException>(() =>
            client.GetStreamingResponseAsync([], new ChatOptions { ContinuationToken = foreign })).Message.ShouldContain("resume",
            Case.Insensitive);
        Should.Throw<ArgumentException>(() =>
            client.GetStreamingResponseAsync("x", new ChatOptions { ContinuationToken = elsewhere })).Message.ShouldContain("messages");
        await Task.CompletedTask;
    }

    [Fact]
    public void It_gives_its_metadata_and_itself_as_services()
    {
        var client = new PerennialChatClient(new Uri("http://127.0.0.1:1/chat"));

        client.GetService<ChatClientMetadata>()!.ProviderUri.ShouldBe(new Uri("http://127.0.0.1:1/chat"));
        client.GetService<PerennialChatClient>().ShouldBeSameAs(client);
        client.GetService<IChatClient>().ShouldBeSameAs(client);
        client.GetService(typeof(string)).ShouldBeNull();
        client.GetService(typeof(IChatClient), "key").ShouldBeNull();
        client.Dispose();
        Should.Throw<ObjectDisposedException>(() => client.GetStreamingResponseAsync("x"));
    }

    private static string Json(ChatResponseUpdate update)
    {
        var bare = update.Clone();
        bare.ContinuationToken = null;
        return JsonSerializer.Serialize(bare, AIJsonUtilities.DefaultOptions);
    }

    private static async IAsyncEnumerable<ChatResponseUpdate> Failing(Exception failure)
    {
        await Task.Yield();
        yield return new ChatResponseUpdate(ChatRole.Assistant, "half ");
        throw failure;
    }
}
