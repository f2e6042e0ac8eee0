using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Requests;

/// <summary>Asking the server to stop is a DELETE of the stream's resource; how the stream then ends is the server's word.</summary>
public class StopTests
{
    [Fact]
    public async Task Deletes_the_resource_and_the_stream_ends_as_stopped()
    {
        var isStopped = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            if (exchange.Request.Method is "DELETE")
            {
                isStopped.SetResult();
                await exchange.RespondAsync(204);
                return;
            }

            await exchange.StartEventStreamAsync(("Content-Location", "/streams/7"), ("Perennial-Protocol", "1"));
            await exchange.WriteChunkAsync(Events(1));
            await isStopped.Task.WaitAsync(exchange.Stopping);
            await exchange.WriteChunkAsync(Events(2) + "event: perennial.stopped\ndata: {}\n\n");
            await exchange.WaitForClientCloseAsync(exchange.Stopping);
        });
        await using var probe = new TransportProbe(new SseTransportOptions { Endpoint = server.Address, Body = RequestBody.Text("hello") });
        await probe.Transport.ConnectAsync(probe.Token);

        await probe.Transport.StopAsync(probe.Token);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);
        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Stopped);
        server.Requests.Select(
            request => (request.Method, request.Target, request.Text)).ShouldBe([("POST", "/", "hello"), ("DELETE", "/streams/7", "")]);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(307)]
    public async Task Stays_a_delete_when_it_is_redirected(int status)
    {
        await using var server = ScriptedServer.Start(exchange => exchange.Request switch
        {
            { Method: "GET" } => Stream(": hello\n\n", Ending.Silence, ("Perennial-Protocol", "1"))(exchange),
            { Target: "/" } => exchange.RespondAsync(status, "", ("Location", "/moved")),
            _ => exchange.RespondAsync(204),
        });
        await using var probe = TransportProbe.For(server.Address);
        await probe.Transport.ConnectAsync(probe.Token);

        await probe.Transport.StopAsync(probe.Token);

        server.Requests.Skip(1).Select(request => (request.Method, request.Target)).ShouldBe([("DELETE", "/"), ("DELETE", "/moved")]);
    }

    [Fact]
    public async Task A_server_that_refuses_is_reported_and_the_stream_goes_on()
    {
        await using var server = ScriptedServer.Start(exchange =>
            exchange.Request.Method is "GET"
                ? Stream(": hello\n\n", Ending.Silence, ("Perennial-Protocol", "1"))(exchange)
                : exchange.RespondAsync(405));
        await using var probe = TransportProbe.For(server.Address);
        await probe.Transport.ConnectAsync(probe.Token);

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.StopAsync(probe.Token));

        ((int?)error.HttpStatus).ShouldBe(405);
        probe.Transport.State.ShouldBe(TransportState.Connected);
    }

    [Fact]
    public async Task A_server_that_did_not_offer_it_is_not_asked_to_delete_anything()
    {
        await using var server = ScriptedServer.Start(Stream(": hello\n\n", Ending.Silence));
        await using var probe = TransportProbe.For(server.Address);
        await probe.Transport.ConnectAsync(probe.Token);

        await Should.ThrowAsync<NotSupportedException>(probe.Transport.StopAsync(probe.Token));

        server.Requests.Count.ShouldBe(1);
        probe.Transport.State.ShouldBe(TransportState.Connected);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_not_waited_for_for_ever()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(exchange =>
            exchange.Request.Method is "GET"
                ? Stream(": hello\n\n", Ending.Silence, ("Perennial-Protocol", "1"))(exchange)
                : NeverAnswer(exchange));
        await using var probe =
            new TransportProbe(new SseTransportOptions { Endpoint = server.Address }, new TransportServices { Time = clock });
        await probe.Transport.ConnectAsync(probe.Token);
        var stopping = probe.Transport.StopAsync(probe.Token);
        await server.WaitForRequestsAsync(2, probe.Token);

        clock.Advance(TimeSpan.FromSeconds(30));

        (await Should.ThrowAsync<TransportException>(stopping)).Code.ShouldBe(TransportErrorCode.ConnectTimeout);
        probe.Transport.State.ShouldBe(TransportState.Connected);
    }

    [Fact]
    public async Task Without_a_connection_there_is_nothing_to_stop()
    {
        await using var server = ScriptedServer.Start(Status(404));
        await using var probe = TransportProbe.For(server.Address);

        (await Should.ThrowAsync<TransportException>(probe.Transport.StopAsync(probe.Token))).Code.ShouldBe(
            TransportErrorCode.NotConnected);

        server.Connections.ShouldBe(0);
    }
}
