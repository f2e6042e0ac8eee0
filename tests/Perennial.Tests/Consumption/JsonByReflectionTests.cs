using System.Text.Json;
using Perennial.Auto;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.WebSockets;

namespace Perennial.Tests.Consumption;

/// <summary>JSON without a contract, with ids, and transports made of a URL alone.</summary>
public class JsonByReflectionTests
{
    private static readonly JsonSerializerOptions SnakeCase = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private const string Body = "id: 1\nevent: token\ndata: {\"textPart\":\"a\"}\n\ndata: {\"textPart\":\"b\"}\n\n";

    [Fact]
    public async Task Values_are_read_with_their_ids_and_event_types()
    {
        await using var server = Serving(Body);
        await using var transport = new SseTransport(server.Address);
        var read = new List<(string?, string?, string)>();

        await foreach (var message in transport.ReadJsonMessagesAsync<Part>(cancellationToken: TestContext.Current.CancellationToken))
        {
            read.Add((message.Value?.TextPart, message.Id, message.EventType));
            message.ToString().ShouldNotContain(message.Value!.TextPart + "\"");
        }

        read.ShouldBe([("a", "1", "token"), ("b", "1", "message")]);
    }

    [Fact]
    public async Task Values_are_read_without_a_contract()
    {
        await using var server = Serving(Body.Replace("textPart", "text_part", StringComparison.Ordinal));
        await using var transport = new SseTransport(server.Address);
        var read = new List<string?>();

        await foreach (var part in transport.ReadJsonAsync<Part>(SnakeCase, TestContext.Current.CancellationToken))
        {
            read.Add(part?.TextPart);
        }

        read.ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task Values_are_sent_without_a_contract()
    {
        await using var transport = new InMemoryTransport();
        await transport.ConnectAsync().Soon();
        var sent = new List<string>();
        transport.Connection.OnSend = (message, _) =>
        {
            sent.Add(System.Text.Encoding.UTF8.GetString(message.Data.Span));
            return new ValueTask<SendOutcome>(SendOutcome.Acknowledged);
        };

        await transport.SendJsonAsync(new Part("a")).Soon();
        await transport.SendJsonAsync(new Part("b"), SnakeCase).Soon();

        sent.ShouldBe(["{\"textPart\":\"a\"}", "{\"text_part\":\"b\"}"]);
        RequestBody.Json(new Part("c")).Content.ToArray().ShouldBe("{\"textPart\":\"c\"}"u8.ToArray());
        StreamMessage.FromText("{\"textPart\":\"d\"}").Deserialize<Part>().ShouldBe(new Part("d"));
    }

    [Fact]
    public async Task Requests_are_asked_and_answered_without_a_contract()
    {
        await using var transport = new InMemoryTransport();
        await transport.ConnectAsync().Soon();
        transport.Connection.OnSend = (message, _) =>
        {
            var request = JsonDocument.Parse(message.Data).RootElement;
            var id = request.GetProperty("requestId").GetString();
            var isStream = request.GetProperty("textPart").GetString() is "many";
            transport.Connection.Script(batch =>
            {
                batch.Add(System.Text.Encoding.UTF8.GetBytes($"{{\"requestId\":\"{id}\",\"textPart\":\"reply\"}}"));
                if (isStream)
                {
                    batch.Add(System.Text.Encoding.UTF8.GetBytes($"{{\"requestId\":\"{id}\",\"done\":true,\"textPart\":\"last\"}}"));
                }

                return ReadOutcome.More;
            });
            return new ValueTask<SendOutcome>(SendOutcome.Acknowledged);
        };

        (await transport.RequestAsync<Part, Part>(new Part("one")).Soon()).ShouldBe(new Part("reply"));

        var replies = new List<string?>();
        await foreach (var reply in transport.RequestStreamAsync<Part, Part>(new Part("many")))
        {
            replies.Add(reply?.TextPart);
        }

        replies.ShouldBe(["reply", "last"]);
    }

    [Fact]
    public async Task Each_transport_can_be_made_of_a_url_alone()
    {
        var url = new Uri("http://127.0.0.1:1/");
        Transport[] transports = [new SseTransport(url), new HttpStreamTransport(url), new LongPollTransport(url), new WebSocketTransport(url), new AutoTransport(url), new SseTransport(new() { Endpoint = url })];

        transports.Select(static transport => transport.State).ShouldAllBe(static state => state == TransportState.Idle);

        foreach (var transport in transports)
        {
            await transport.DisposeAsync();
        }

        Should.Throw<ArgumentException>(() => new SseTransport(new Uri("/relative", UriKind.Relative))).ParamName.ShouldBe("Endpoint");
    }

    private static ScriptedServer Serving(string body) => ScriptedServer.Start(async exchange =>
    {
        await exchange.StartEventStreamAsync();
        await exchange.WriteChunkAsync(body);
        await exchange.EndChunksAsync();
    });

    private sealed record Part(string TextPart);
}
