using System.Text.Json.Serialization;
using Perennial.HttpStreams;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.BodyScripts;

namespace Perennial.Tests.HttpStreams;

/// <summary>A response of JSON lines from any server.</summary>
public class JsonLinesTests
{
    [Fact]
    public async Task Lines_come_as_messages_until_the_body_ends()
    {
        await using var server = ScriptedServer.Start(Lines("{\"n\":1}\r\n\r\n{\"n\":2}\n{\"n\":3}"));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBe(["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);

        (await probe.Transport.Completion).ShouldBe(StreamEnd.Completed);
        var request = server.Requests.ShouldHaveSingleItem();
        (request.Method, request.Header("Last-Event-ID")).ShouldBe(("GET", null));
        request.Header("Accept")!.ShouldStartWith("application/x-ndjson");
    }

    [Fact]
    public async Task A_message_comes_as_soon_as_its_line_ends()
    {
        var isRead = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartChunkedAsync("application/x-ndjson");
            await exchange.WriteChunkAsync("{\"n\":1}\n{\"n\"");
            await isRead.Task.WaitAsync(exchange.Stopping);
            await exchange.WriteChunkAsync(":2}\n");
            await exchange.EndChunksAsync();
        });
        await using var probe = For(server);

        (await probe.ReadTextsAsync(1)).ShouldBe(["{\"n\":1}"]);

        isRead.SetResult();
        (await probe.ReadTextsAsync()).ShouldBe(["{\"n\":2}"]);
    }

    [Fact]
    public async Task A_bad_line_is_reported_without_its_text_and_the_rest_flows()
    {
        await using var server = ScriptedServer.Start(Lines("{\"n\":1}\nsecret\n{\"n\":2}\n{\"n\":\n{\"n\":3}\n"));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBe(["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);

        var errors = probe.All<ErrorEvent>();
        errors.Select(error => (error.Code, error.IsRecoverable)).ShouldBe(Enumerable.Repeat((TransportErrorCode.InvalidMessage, true), 2));
        errors[0].Exception.Message.ShouldNotContain("secret");
        server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(nameof(Ending.Closed))]
    [InlineData(nameof(Ending.Reset))]
    public async Task A_body_that_breaks_off_is_a_lost_connection_and_resuming_a_gap(string ending)
    {
        await using var server =
            ScriptedServer.Start(Lines("{\"n\":1}\n{\"n\":2}", Enum.Parse<Ending>(ending)), Lines("{\"n\":1}\n{\"n\":2}\n"));
        await using var probe = For(server);

        var messages = await probe.ReadToEndAsync();

        messages.Select(message => (message.Text, message.FollowsGap)).ShouldBe(
            [("{\"n\":1}", false), ("{\"n\":1}", true), ("{\"n\":2}", false)]);
        probe.All<ErrorEvent>().ShouldHaveSingleItem().Code.ShouldBe(TransportErrorCode.ConnectionLost);
        probe.All<GapEvent>().ShouldHaveSingleItem().Reason.ShouldBe(GapReason.NotNumbered);
    }

    [Fact]
    public async Task A_body_shorter_than_it_said_is_a_lost_connection()
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.WriteHeadAsync(200, ("Content-Type", "application/x-ndjson"), ("Content-Length", "100"));
            await exchange.WriteAsync("{\"n\":1}\n{\"n\":2}");
            exchange.Close();
        });
        await using var probe = For(server, options => options with { Reconnect = new ReconnectOptions { Enabled = false } });

        (await probe.ReadToFailureAsync()).Texts.ShouldBe(["{\"n\":1}"]);

        probe.All<CompletedEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Markers_end_the_stream_although_the_response_goes_on()
    {
        await using var server =
            ScriptedServer.Start(Lines("{\"response\":\"a\",\"done\":false}\n{\"model\":\"m\",\"done\":true}\n", Ending.Silence));
        await using var probe = For(server, options => options with { EndOfStream = EndOfStreamPolicy.RequireMarker });

        (await probe.ReadTextsAsync()).ShouldBe(["{\"response\":\"a\",\"done\":false}", "{\"model\":\"m\",\"done\":true}"]);

        (await probe.Transport.Completion).ShouldBe(StreamEnd.Completed);
    }

    [Fact]
    public async Task An_end_without_a_marker_is_a_loss_where_one_is_required()
    {
        await using var server = ScriptedServer.Start(Lines("{\"n\":1}"), Lines("{\"type\":\"done\"}"));
        await using var probe = For(server, options => options with { EndOfStream = EndOfStreamPolicy.RequireMarker });

        (await probe.ReadTextsAsync()).ShouldBe(["{\"n\":1}"]);

        probe.All<ErrorEvent>().ShouldHaveSingleItem().Code.ShouldBe(TransportErrorCode.EndedWithoutMarker);
    }

    [Fact]
    public async Task An_error_in_the_stream_is_reported_and_delivered()
    {
        await using var server =
            ScriptedServer.Start(Lines("{\"type\":\"error\",\"error\":{\"code\":\"busy\",\"message\":\"Later.\"}}\n{\"n\":1}\n"));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).Count.ShouldBe(2);

        var error = probe.All<ErrorEvent>().ShouldHaveSingleItem();
        (error.Code, error.IsRecoverable, error.Exception.ServerCode, error.Exception.ServerMessage)
            .ShouldBe((TransportErrorCode.ServerFailed, true, "busy", "Later."));
    }

    [Fact]
    public async Task Classify_replaces_the_conventions_but_a_bad_line_stays_bad()
    {
        await using var server =
            ScriptedServer.Start(Lines("{\"done\":true}\n{\"type\":\"error\"}\nbad\n{\"noise\":1}\n{\"bye\":1}\n{\"n\":1}\n"));
        await using var probe = For(server, options => options with
        {
            Classify = static (in StreamMessage message) =>
                message.Text.Contains("bye", StringComparison.Ordinal) ? StreamSignal.DeliveredThenCompleted
                : message.Text.Contains("noise", StringComparison.Ordinal) ? StreamSignal.Ignored
                : StreamSignal.None,
        });

        (await probe.ReadTextsAsync()).ShouldBe(["{\"done\":true}", "{\"type\":\"error\"}", "{\"bye\":1}"]);

        probe.All<ErrorEvent>().ShouldHaveSingleItem().Code.ShouldBe(TransportErrorCode.InvalidMessage);
    }

    [Theory]
    [InlineData("application/x-ndjson; charset=utf-8")]
    [InlineData("Application/NDJSON")]
    [InlineData("application/jsonl")]
    [InlineData("application/x-jsonlines")]
    [InlineData("application/json")]
    [InlineData("application/stream+json")]
    [InlineData("text/plain")]
    [InlineData("application/octet-stream")]
    [InlineData(null)]
    public async Task Types_that_say_JSON_or_nothing_are_read(string? contentType)
    {
        await using var server = ScriptedServer.Start(exchange =>
            exchange.RespondAsync(200, "{\"n\":1}\n", contentType is null ? [] : [("Content-Type", contentType)]));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBe(["{\"n\":1}"]);
    }

    [Theory]
    [InlineData("text/html; charset=utf-8", "text/html")]
    [InlineData("text/event-stream", "text/event-stream")]
    [InlineData("application/json-seq", "application/json-seq")]
    [InlineData("application/xml", "application/xml")]
    public async Task Other_types_are_refused_at_once(string contentType, string named)
    {
        await using var server = ScriptedServer.Start(Body(contentType, "{\"n\":1}\n"));
        await using var probe = For(server);

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBeEmpty();
        error.Code.ShouldBe(TransportErrorCode.UnexpectedContentType);
        error.Message.ShouldContain(named);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_upgrade_nobody_asked_for_is_refused()
    {
        await using var server =
            ScriptedServer.Start(exchange => exchange.WriteHeadAsync(101, ("Upgrade", "other"), ("Connection", "Upgrade")));
        await using var probe = For(server);

        var error = (await probe.ReadToFailureAsync()).Error;

        (error.Code, (int?)error.HttpStatus).ShouldBe((TransportErrorCode.HttpStatus, 101));
    }

    [Fact]
    public async Task No_content_is_the_end()
    {
        await using var server = ScriptedServer.Start(SseScripts.Status(204));
        await using var probe = For(server, options => options with { EndOfStream = EndOfStreamPolicy.Reconnect });

        (await probe.ReadTextsAsync()).ShouldBeEmpty();

        (await probe.Transport.Completion).ShouldBe(StreamEnd.Completed);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task ReadJson_yields_values_and_names_what_does_not_fit()
    {
        await using var server = ScriptedServer.Start(Lines("{\"text\":\"a\"}\n{\"text\":\"b\"}\nnull\n{\"text\":[]}\n"));
        await using var probe = For(server);
        List<string?> texts = [];

        var error = await Should.ThrowAsync<TransportException>(async () =>
        {
            await foreach (var token in probe.Transport.ReadJsonAsync(TokenJson.Default.Token, probe.Token))
            {
                texts.Add(token?.Text);
            }
        });

        texts.ShouldBe(["a", "b", null]);
        error.Code.ShouldBe(TransportErrorCode.InvalidMessage);
    }

    [Fact]
    public async Task A_line_of_16_MiB_comes_whole_where_that_is_allowed()
    {
        const int Size = 16 * 1024 * 1024;
        var line = new byte[Size + 1];
        line.AsSpan().Fill((byte)'x');
        (line[0], line[^2], line[^1]) = ((byte)'"', (byte)'"', (byte)'\n');
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartChunkedAsync("application/x-ndjson");
            await exchange.WriteChunkAsync(line);
            await exchange.WriteChunkAsync("{\"n\":1}\n");
            await exchange.EndChunksAsync();
        });
        await using var probe = For(server, options => options with { MaxMessageBytes = Size });

        var messages = await probe.ReadToEndAsync();

        messages.Count.ShouldBe(2);
        messages[0].Data.Span.SequenceEqual(line.AsSpan(0, Size)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_line_without_end_is_given_up_at_the_limit()
    {
        const int Limit = 256 * 1024;
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartChunkedAsync("application/x-ndjson");
            await exchange.WriteChunkAsync("{\"n\":1}\n");
            var piece = new byte[16 * 1024];
            piece.AsSpan().Fill((byte)'x');
            while (true)
            {
                await exchange.WriteChunkAsync(piece);
            }
        });
        await using var probe = For(server, options => options with { MaxMessageBytes = Limit });

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBe(["{\"n\":1}"]);
        error.Code.ShouldBe(TransportErrorCode.MessageTooLarge);
        server.Requests.Count.ShouldBe(1);
        probe.Transport.GetMetrics().BytesReceived.ShouldBeLessThan(2 * Limit);
    }

    private static TransportProbe For(ScriptedServer server, Func<HttpStreamTransportOptions, HttpStreamTransportOptions>? change = null)
    {
        var options = new HttpStreamTransportOptions { Endpoint = server.Address, Reconnect = TransportProbe.AtOnce };
        return new TransportProbe(new HttpStreamTransport(change?.Invoke(options) ?? options));
    }
}

internal sealed record Token([property: JsonPropertyName("text")] string Text);

[JsonSerializable(typeof(Token))]
internal sealed partial class TokenJson : JsonSerializerContext;
