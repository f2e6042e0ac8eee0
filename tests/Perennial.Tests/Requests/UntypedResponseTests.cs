using System.Text;
using Perennial.Auto;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;

namespace Perennial.Tests.Requests;

/// <summary>Responses whose content type does not tell the format: the first bytes do.</summary>
public class UntypedResponseTests
{
    public static TheoryData<string> Types => ["", "text/plain; charset=utf-8", "application/octet-stream"];

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Sse_reads_an_event_stream_of_any_such_type(string contentType)
    {
        await using var server = ScriptedServer.Start(Respond(contentType, "\uFEFF\n: hello\nid: 1\ndata: a\n\ndata: b\n\n"));
        await using var probe = new TransportProbe(new SseTransportOptions { Endpoint = server.Address });

        (await probe.ReadTextsAsync()).ShouldBe(["a", "b"]);
    }

    [Theory]
    [InlineData("plain words")]
    [InlineData("{\"n\":1}\n")]
    [InlineData("")]
    [InlineData("dat")]
    public async Task Sse_refuses_what_does_not_begin_as_an_event_stream(string body)
    {
        await using var server = ScriptedServer.Start(Respond("text/plain", body));
        await using var probe = new TransportProbe(new SseTransportOptions { Endpoint = server.Address });

        var (_, error) = await probe.ReadToFailureAsync();

        error.Code.ShouldBe(TransportErrorCode.UnexpectedContentType);
        error.Message.ShouldContain("text/plain");
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task An_HTTP_stream_reads_events_and_lines(string contentType)
    {
        await using var server = ScriptedServer.Start(Respond(contentType, "data: a\n\n"), Respond(contentType, "{\"n\":1}\n"));
        await using var events = new TransportProbe(new HttpStreamTransport(new HttpStreamTransportOptions { Endpoint = server.Address }));
        await using var lines = new TransportProbe(new HttpStreamTransport(new HttpStreamTransportOptions { Endpoint = server.Address }));

        (await events.ReadTextsAsync()).ShouldBe(["a"]);
        (await lines.ReadTextsAsync()).ShouldBe(["{\"n\":1}"]);
    }

    [Fact]
    public async Task Plain_text_comes_as_it_arrives_where_it_is_allowed()
    {
        var isRead = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartChunkedAsync("text/plain");
            await exchange.WriteChunkAsync("Hello");
            await isRead.Task.WaitAsync(exchange.Stopping);
            await exchange.WriteChunkAsync(", world");
            await exchange.EndChunksAsync();
        });
        await using var probe = new TransportProbe(
            new HttpStreamTransport(new HttpStreamTransportOptions { Endpoint = server.Address, AllowPlainText = true }));

        (await probe.ReadTextsAsync(1)).ShouldBe(["Hello"]);

        isRead.SetResult();
        (await probe.ReadTextsAsync()).ShouldBe([", world"]);
    }

    [Fact]
    public async Task Auto_says_which_protocol_the_first_bytes_showed()
    {
        await using var server = ScriptedServer.Start(Respond("", "{\"n\":1}\n"));
        await using var transport = new AutoTransport(new AutoTransportOptions
        {
            Endpoint = server.Address,
            Method = HttpMethod.Post,
        });

        await foreach (var message in transport.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            message.Text.ShouldBe("{\"n\":1}");
        }

        transport.Protocol.ShouldBe(AutoProtocol.HttpStream);
    }

    [Theory]
    [InlineData("data: a", 5, "EventStream")]
    [InlineData("event: a", 6, "EventStream")]
    [InlineData("id: 1", 3, "EventStream")]
    [InlineData("retry: 1", 6, "EventStream")]
    [InlineData(": comment", 1, "EventStream")]
    [InlineData("\uFEFF\r\n\ndata: a", 11, "EventStream")]
    [InlineData("\n {", 3, "Json")]
    [InlineData("[", 1, "Json")]
    [InlineData("dates", 4, "Other")]
    [InlineData("Hello", 1, "Other")]
    public void No_more_bytes_are_kept_than_decide(string body, int needed, string format)
    {
        var bytes = Encoding.UTF8.GetBytes(body);

        for (var length = 0; length < needed; length++)
        {
            FirstBytes.Recognize(bytes.AsSpan(0, length)).ShouldBeNull();
        }

        FirstBytes.Recognize(bytes.AsSpan(0, needed)).ToString().ShouldBe(format);
    }

    [Fact]
    public void Blank_bytes_are_kept_up_to_a_limit() =>
        FirstBytes.Recognize(Encoding.UTF8.GetBytes(new string('\n', 1024))).ShouldBe(BodyFormat.Other);

    private static Func<ScriptedExchange, Task> Respond(string contentType, string body) =>
        exchange => exchange.RespondAsync(200, body, contentType.Length == 0 ? [] : [("Content-Type", contentType)]);
}
