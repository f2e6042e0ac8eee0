using System.Text.Json;
using Perennial.Auto;
using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Resuming;

/// <summary>The point that another process goes on from follows the reader, not the buffer.</summary>
public class ResumePointTests
{
    [Theory]
    [InlineData(BufferFullMode.Block)]
    [InlineData(BufferFullMode.DropOldest)]
    public async Task It_follows_the_reader_of_a_sequence(BufferFullMode mode)
    {
        await using var transport = new InMemoryTransport(new InMemoryTransportOptions { Buffer = new BufferOptions { FullMode = mode } });
        transport.ResumePoint.ShouldBeNull();
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1", "2", "3").Say("4", "5");
        await Patience.Until(() => transport.LastEventId is "5", "all arrived");
        transport.ResumePoint.ShouldBe(new ResumePoint(InMemoryTransportOptions.DefaultEndpoint));

        var points = new List<(string Text, string? Id)>();
        await foreach (var message in transport.ReadAllAsync())
        {
            points.Add((message.Text, transport.ResumePoint?.LastEventId));
            if (points.Count == 4)
            {
                break;
            }
        }

        points.ShouldBe([("1", "1"), ("2", "2"), ("3", "3"), ("4", "4")]);
        await transport.DisposeAsync().Soon();
        transport.ResumePoint!.LastEventId.ShouldBe("4");
    }

    [Fact]
    public async Task It_follows_handlers_that_returned()
    {
        await using var transport = new InMemoryTransport();
        var points = new List<string?>();
        transport.MessageReceived += (_, _) => points.Add(transport.ResumePoint!.LastEventId);
        await transport.ConnectAsync().Soon();

        transport.Connection.Say("1", "2").Say("3").Finish();
        await transport.Completion.Soon();

        await Patience.Until(() => points.Count == 3, "three messages");
        points.ShouldBe([null, "1", "2"]);
        await Patience.Until(() => transport.ResumePoint!.LastEventId is "3", "the handler returned");
    }

    [Fact]
    public async Task An_id_without_a_message_counts_when_the_reader_has_what_came_before_it()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1, 2) + "id: 7\n\n" + Events(8) + "id\n\n", Ending.Silence));
        await using var probe = TransportProbe.For(server.Address);
        await probe.Transport.ConnectAsync(probe.Token);
        await Patience.Until(() => probe.Transport.GetMetrics() is { BufferSize: 3 } && probe.Transport.LastEventId is null, "all arrived");
        var points = new List<string?>();

        await foreach (var _ in probe.Transport.ReadAllAsync(probe.Token))
        {
            points.Add(probe.Transport.ResumePoint!.LastEventId);
            if (points.Count == 3)
            {
                break;
            }
        }

        points.ShouldBe(["1", "2", null]);      // the last id between messages is kept, and it cleared the resume point
    }

    [Theory]
    [InlineData("data: a\n\ndata: b\n\ndata: c\n\n", null)]
    [InlineData("id: 1\ndata: a\n\ndata: b\n\ndata: c\n\n", "1")]
    public async Task Where_messages_have_no_ids_the_next_process_is_told_of_a_gap(string body, string? id)
    {
        await using var server = ScriptedServer.Start(Stream(body, Ending.Silence), Stream(body, Ending.Silence), Stream("data: c\n\n"));
        await using var first = TransportProbe.For(server.Address);
        (await first.ReadTextsAsync(2)).ShouldBe(["a", "b"]);
        var saved = first.Transport.ResumePoint!;
        (saved.LastEventId, saved.IsExact).ShouldBe((id, false));

        await using var second = Resumed(ResumePoint.Parse(saved.Serialize()));
        await second.Transport.ConnectAsync(second.Token);
        var untouched = second.Transport.ResumePoint!;
        await using var third = Resumed(ResumePoint.Parse(untouched.Serialize()));

        (await third.ReadToEndAsync()).ShouldHaveSingleItem().FollowsGap.ShouldBeTrue();
        third.All<GapEvent>().ShouldBe([new GapEvent { Reason = GapReason.NotNumbered, RequestedId = id, ResumesAt = null }]);

        TransportProbe Resumed(ResumePoint point) =>
            new(new SseTransportOptions { Endpoint = server.Address, ResumeFrom = point, Reconnect = TransportProbe.AtOnce });
    }

    [Fact]
    public async Task Where_the_last_message_taken_had_an_id_there_is_none()
    {
        await using var server = ScriptedServer.Start(Stream("data: a\n\n" + Events(1) + "data: b\n\n", Ending.Silence), Stream(Events(2)));
        await using var first = TransportProbe.For(server.Address);
        await first.Transport.ConnectAsync(first.Token);
        first.Transport.ResumePoint!.IsExact.ShouldBeTrue();
        await first.ReadTextsAsync(2);
        first.Transport.ResumePoint!.IsExact.ShouldBeTrue();

        await using var second =
            new TransportProbe(new SseTransportOptions { Endpoint = server.Address, ResumeFrom = first.Transport.ResumePoint });

        (await second.ReadToEndAsync()).ShouldHaveSingleItem().FollowsGap.ShouldBeFalse();
        second.All<GapEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_post_can_be_resumed_where_its_answer_named_the_stream()
    {
        await using var server = ScriptedServer.Start(
            Stream(Events(1, 2, 3), Ending.Silence, ("Content-Location", "/runs/7?sig=a%20b")), Stream(Events(2, 3)));
        await using var first = Post(server);
        (await first.ReadAllAsync().TextsAsync(1).Soon()).ShouldBe(["1"]);
        var saved = first.ResumePoint!.Serialize();

        saved.ShouldBe($"{{\"url\":\"{server.Address}runs/7?sig=a%20b\",\"lastEventId\":\"1\"}}");
        var point = ResumePoint.Parse(saved);
        await using var second =
            new SseTransport(new SseTransportOptions { Endpoint = server.Address, Body = RequestBody.Text("prompt"), ResumeFrom = point });
        second.ResumePoint.ShouldBe(point);
        (await second.ReadAllAsync().TextsAsync().Soon()).ShouldBe(["2", "3"]);

        server.Requests.Select(
            static request => $"{request.Method} {request.Target} {request.Header("Last-Event-ID")} {request.Text}").ShouldBe(
            ["POST /  prompt", "GET /runs/7?sig=a%20b 1 "]);
    }

    [Fact]
    public async Task A_post_without_a_named_stream_cannot_be_resumed()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1), Ending.Silence));
        await using var transport = Post(server);

        (await transport.ReadAllAsync().TextsAsync(1).Soon()).ShouldBe(["1"]);

        transport.ResumePoint.ShouldBeNull();
    }

    [Fact]
    public async Task The_transport_that_chooses_has_one_too()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1, 2), Ending.Silence), Stream(Events(2)));
        await using var first = new AutoTransport(new AutoTransportOptions { Endpoint = server.Address, Order = [AutoProtocol.Sse] });
        (await first.ReadAllAsync().TextsAsync(1).Soon()).ShouldBe(["1"]);

        await using var second = new AutoTransport(
            new AutoTransportOptions { Endpoint = server.Address, Order = [AutoProtocol.Sse], ResumeFrom = first.ResumePoint });
        (await second.ReadAllAsync().TextsAsync().Soon()).ShouldBe(["2"]);

        server.Requests[1].Header("Last-Event-ID").ShouldBe("1");
    }

    [Fact]
    public void It_survives_any_json_serializer_and_keeps_no_credentials()
    {
        var point = new ResumePoint(new Uri("https://user:hunter2@host:8443/runs/7%7E?sig=a%7Eb"), "é-1");

        ResumePoint.Parse(point.Serialize()).ShouldBe(point);
        JsonSerializer.Deserialize<ResumePoint>(
            JsonSerializer.Serialize(point, JsonSerializerOptions.Web), JsonSerializerOptions.Web).ShouldBe(point);
        point.Endpoint.OriginalString.ShouldBe("https://host:8443/runs/7%7E?sig=a%7Eb");
        point.ToString().ShouldBe("ResumePoint { https://host:8443, after a message }");
        ResumePoint.Parse("""{"url":"https://host/"}""").ShouldBe(new ResumePoint(new Uri("https://host/")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"url":"/runs/7"}""")]
    [InlineData("""{"url":"https://host/","lastEventId":"a\nb"}""")]
    [InlineData("""{"url":"https://host/","lastEventId":7}""")]
    public void What_is_no_resume_point_is_refused(string? text)
    {
        ResumePoint.TryParse(text, out _).ShouldBeFalse();
        Should.Throw<FormatException>(() => ResumePoint.Parse(text!));
    }

    [Theory]
    [InlineData("https://host:444/")]
    [InlineData("http://host/")]
    [InlineData("https://other/")]
    public void One_of_another_origin_is_refused(string url) =>
        Should.Throw<ArgumentException>(() => new SseTransport(new SseTransportOptions
        {
            Endpoint = new Uri("https://host/"),
            ResumeFrom = new ResumePoint(new Uri(url)),
        })).ParamName.ShouldBe("ResumeFrom");

    private static SseTransport Post(ScriptedServer server) =>
        new(new SseTransportOptions { Endpoint = server.Address, Body = RequestBody.Text("prompt") });
}
