using System.Security.Cryptography;
using Perennial.HttpStreams;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.BodyScripts;

namespace Perennial.Tests.HttpStreams;

/// <summary>A body without frames: every byte, in order, as it arrives.</summary>
public class RawChunksTests
{
    [Fact]
    public async Task Bytes_come_as_they_arrive()
    {
        var isRead = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartChunkedAsync("audio/mpeg");
            await exchange.WriteChunkAsync("first");
            await isRead.Task.WaitAsync(exchange.Stopping);
            await exchange.WriteChunkAsync(" second\n\n");
            await exchange.EndChunksAsync();
        });
        await using var probe = For(server);

        (await probe.ReadTextsAsync(1)).ShouldBe(["first"]);

        isRead.SetResult();
        (await probe.ReadTextsAsync()).ShouldBe([" second\n\n"]);
        server.Requests[0].Header("Accept").ShouldBe("*/*");
    }

    [Fact]
    public async Task Nothing_is_lost_or_changed_in_64_MiB()
    {
        const int Size = 64 * 1024 * 1024;
        var body = new byte[Size];
        new Random(7).NextBytes(body);
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(200, body));
        await using var probe = For(server);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        await foreach (var message in probe.Transport.ReadAllAsync(probe.Token))
        {
            hash.AppendData(message.Data.Span);
        }

        hash.GetHashAndReset().ShouldBe(SHA256.HashData(body));
        probe.Transport.GetMetrics().BytesReceived.ShouldBe(Size);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("text/event-stream")]
    [InlineData("application/x-ndjson")]
    public async Task Any_type_is_read_and_nothing_in_it_means_anything(string contentType)
    {
        const string Body = "{\"done\":true}\n[DONE]\n{\"type\":\"error\"}";
        await using var server = ScriptedServer.Start(BodyScripts.Body(contentType, Body));
        await using var probe = For(server);

        string.Concat(await probe.ReadTextsAsync()).ShouldBe(Body);

        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task No_piece_is_larger_than_the_limit()
    {
        await using var server = ScriptedServer.Start(Body("text/plain", "123456789"));
        await using var probe = For(server, options => options with { MaxMessageBytes = 4 });

        (await probe.ReadTextsAsync()).ShouldBe(["1234", "5678", "9"]);
    }

    [Fact]
    public async Task After_a_cut_the_reader_is_told_that_it_starts_again()
    {
        await using var server = ScriptedServer.Start(Body("text/plain", "abc", Ending.Reset), Body("text/plain", "abcdef"));
        await using var probe = For(server);

        var messages = await probe.ReadToEndAsync();

        messages.Select(message => (message.Text, message.FollowsGap)).ShouldBe([("abc", false), ("abcdef", true)]);
        probe.All<GapEvent>().ShouldBe([new GapEvent { Reason = GapReason.NotNumbered, RequestedId = null, ResumesAt = null }]);
        server.Requests[1].Header("Last-Event-ID").ShouldBeNull();
    }

    [Fact]
    public async Task A_post_that_is_cut_is_interrupted_although_replay_is_allowed()
    {
        await using var server = ScriptedServer.Start(Body("text/plain", "abc", Ending.Reset));
        await using var probe = For(server, options => options with { Method = HttpMethod.Post, AllowReplay = true });

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.Interrupted);

        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_end_of_the_body_is_the_end_even_where_the_server_speaks_Perennials_protocol()
    {
        await using var server = ScriptedServer.Start(Body("application/x-ndjson", "abc", Ending.InGoodOrder, SpeaksPerennial));
        await using var probe = For(server);

        (await probe.ReadTextsAsync()).ShouldBe(["abc"]);

        server.Requests.Count.ShouldBe(1);
    }

    private static TransportProbe For(ScriptedServer server, Func<HttpStreamTransportOptions, HttpStreamTransportOptions>? change = null)
    {
        var options =
            new HttpStreamTransportOptions { Endpoint = server.Address, Framing = StreamFraming.Raw, Reconnect = TransportProbe.AtOnce };
        return new TransportProbe(new HttpStreamTransport(change?.Invoke(options) ?? options));
    }
}
