using System.Text.Json;
using Perennial.Requests;
using Perennial.Tests.Fixtures;
using static Perennial.Tests.RequestReply.RequestText;

namespace Perennial.Tests.RequestReply;

/// <summary>JSON-RPC 2.0, and conventions of one's own.</summary>
public class JsonRpcTests
{
    private static readonly RequestOptions Call = new() { Convention = RequestConvention.JsonRpc("add \"all\"") };

    [Theory]
    [InlineData("[1, 2]")]
    [InlineData("{\"a\":{\"id\":1}}")]
    [InlineData("null")]
    public async Task A_call_has_a_method_an_id_and_params_and_the_result_is_the_reply(string parameters)
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync(parameters, Call);
        using var call = JsonDocument.Parse(await asker.SentAsync());
        asker.Connection.SayPlain($$"""{"jsonrpc":"2.0", "result": {"text":"three"} ,"id":"{{call.RootElement.GetProperty("id")}}"}""");

        var result = await reply.Soon();

        result.Text.ShouldBe("{\"text\":\"three\"}");
        result.Deserialize(WordsJson.Default.Words).ShouldBe(new Words("three"));
        call.RootElement.GetProperty("jsonrpc").GetString().ShouldBe("2.0");
        call.RootElement.GetProperty("method").GetString().ShouldBe("add \"all\"");
        (call.RootElement.TryGetProperty("params", out var sent) ? sent.GetRawText() : "null").ShouldBe(parameters);
        asker.Metrics.OutstandingRequests.ShouldBe(0);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("\"a\"")]
    [InlineData("[1")]
    [InlineData("")]
    public async Task Params_have_a_structure(string parameters)
    {
        await using var asker = new Asker();

        await Should.ThrowAsync<ArgumentException>(asker.Transport.RequestAsync(parameters, Call).Soon());
        Should.Throw<ArgumentException>(static () => RequestConvention.JsonRpc(""));
    }

    [Fact]
    public async Task An_error_has_a_code_and_a_message()
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync("[]", Call);
        var id = Member(await asker.SentAsync(), "id");
        asker.Connection.SayPlain($$"""{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found","data":[]},"result":null,"id":"{{id}}"}""");

        var error = await Should.ThrowAsync<TransportException>(reply.Soon());

        (error.Code, error.ServerCode, error.ServerMessage).ShouldBe((TransportErrorCode.RequestFailed, "-32601", "Method not found"));
    }

    [Fact]
    public async Task Notifications_calls_of_the_server_and_what_has_neither_result_nor_error_are_messages()
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync("[]", Call);
        var id = Member(await asker.SentAsync(), "id");
        string[] others =
        [
            "{\"jsonrpc\":\"2.0\",\"method\":\"progress\",\"params\":[\"" + id + "\"]}",
            $$"""{"jsonrpc":"2.0","method":"ask","params":[],"result":1,"id":"{{id}}"}""",
            $$"""{"jsonrpc":"2.0","id":"{{id}}"}""",
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"Parse error\"},\"id\":null}",
        ];

        asker.Connection.SayPlain([.. others, $$"""{"jsonrpc":"2.0","result":null,"id":"{{id}}"}"""]);

        (await asker.Transport.ReadAllAsync().TextsAsync(others.Length).Soon()).ShouldBe(others);
        (await reply.Soon()).Text.ShouldBe("null");
    }

    [Fact]
    public async Task A_stream_of_replies_ends_with_the_one_there_is()
    {
        await using var asker = new Asker();
        var replies = asker.Transport.RequestStreamAsync("[]", Call).TextsAsync();
        var call = await asker.SentAsync();
        asker.Connection.SayPlain($$"""{"jsonrpc":"2.0","result":[],"id":"{{Member(call, "id")}}"}""");

        (await replies.Soon()).ShouldBe(["[]"]);
    }

    [Fact]
    public async Task Conventions_of_ones_own_live_beside_each_other()
    {
        var shout = new RequestConvention
        {
            Write = static (id, value) => System.Text.Encoding.UTF8.GetBytes($"[\"{id}\",{System.Text.Encoding.UTF8.GetString(value)}]"),
            Read = static (in StreamMessage message, out ReplyContent reply) =>
            {
                var isReply = message.Text.StartsWith("[\"", StringComparison.Ordinal);
                reply = new ReplyContent { Id = isReply ? message.Text[2..24] : "", Data = System.Text.Encoding.UTF8.GetBytes(message.Text[26..^1] + "!") };
                return isReply;
            },
        };
        await using var asker = new Asker();
        var shouted = asker.Transport.RequestAsync("7", new RequestOptions { Convention = shout });
        var plain = asker.Transport.RequestAsync("{}");
        await asker.SentAsync(1);
        var other = $$"""{"about":{{asker.Sent[0]}},"requestId":"{{IdOf(asker.Sent[1])}}"}""";

        asker.Connection.SayPlain(other, asker.Sent[0]);

        (await shouted.Soon()).Text.ShouldBe("7!");
        (await plain.Soon()).Text.ShouldBe(other);
    }
}
