using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Reconnecting;

/// <summary>What <see cref="Transport.ConnectAsync"/> promises, the first time and again.</summary>
public class ConnectTests
{
    [Fact]
    public async Task Returns_at_the_first_connection_although_the_stream_goes_on()
    {
        await using var server = ScriptedServer.Start(Status(503), Stream(": hello\n\n", Ending.Silence));
        await using var probe = TransportProbe.For(server.Address);

        await probe.Transport.ConnectAsync(probe.Token);

        probe.Transport.State.ShouldBe(TransportState.Connected);
        probe.Transport.Completion.IsCompleted.ShouldBeFalse();
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Returns_at_once_while_connected()
    {
        await using var server = ScriptedServer.Start(Stream(": hello\n\n", Ending.Silence));
        await using var probe = TransportProbe.For(server.Address);

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => probe.Transport.ConnectAsync(probe.Token)));
        await probe.Transport.ConnectAsync(probe.Token);

        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task While_reconnecting_it_waits_for_the_next_connection()
    {
        var mayConnect = new TaskCompletionSource();
        await using var transport = new InMemoryTransport(
            new InMemoryTransportOptions { Reconnect = TransportProbe.AtOnce },
            open: async (transport, _, _) =>
            {
                await (transport.Attempts == 1 ? Task.CompletedTask : mayConnect.Task);
                return transport.NewConnection();
            });
        await transport.ConnectAsync().Soon();
        transport.Connection.Break();
        await Patience.Until(() => transport.Attempts == 2, "a second attempt");

        var connecting = transport.ConnectAsync();
        connecting.IsCompleted.ShouldBeFalse();
        mayConnect.SetResult();
        await connecting.Soon();

        transport.State.ShouldBe(TransportState.Connected);
    }

    [Fact]
    public async Task While_reconnecting_it_throws_when_the_attempts_are_spent()
    {
        var mayFail = new TaskCompletionSource();
        await using var transport = new InMemoryTransport(
            new InMemoryTransportOptions { Reconnect = TransportProbe.AtOnce with { MaxAttempts = 1 } },
            open: async (transport, _, _) =>
            {
                await (transport.Attempts == 1 ? Task.CompletedTask : mayFail.Task);
                return transport.Attempts == 1
                    ? transport.NewConnection()
                    : throw new TransportException(TransportErrorCode.ConnectFailed, "Refused by the test.", isTransient: true);
            });
        await transport.ConnectAsync().Soon();
        transport.Connection.Break();
        await Patience.Until(() => transport.Attempts == 2, "a second attempt");

        var connecting = transport.ConnectAsync();
        mayFail.SetResult();

        (await connecting.Soon().ShouldThrowAsync<TransportException>()).Code.ShouldBe(TransportErrorCode.AttemptsExhausted);
    }

    [Fact]
    public async Task Throws_when_the_attempts_are_spent_and_says_what_was_wrong_last()
    {
        await using var server = ScriptedServer.Start(Status(503), ResetUnanswered);
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = server.Address,
            Reconnect = TransportProbe.AtOnce with { MaxAttempts = 1 },
        });

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.ConnectAsync(probe.Token));

        error.Code.ShouldBe(TransportErrorCode.AttemptsExhausted);
        error.InnerException.ShouldBeOfType<TransportException>().Code.ShouldBe(TransportErrorCode.ConnectionLost);
        probe.Transport.State.ShouldBe(TransportState.Failed);
    }

    [Fact]
    public async Task Again_after_a_failure_it_goes_on_from_the_same_place_with_fresh_attempts()
    {
        await using var server = ScriptedServer.Start(
            Stream(Events(1), Ending.Reset), Status(503), Status(401), Status(503), Status(503), Stream(Events(2)));
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = server.Address,
            Reconnect = TransportProbe.AtOnce with { MaxAttempts = 2 },
        });
        (await probe.ReadToFailureAsync()).Error.HttpStatus.ShouldBe(System.Net.HttpStatusCode.Unauthorized);

        await probe.Transport.ConnectAsync(probe.Token);

        (await probe.ReadTextsAsync()).ShouldBe(["2"]);
        server.Requests.Select(request => request.Header("Last-Event-ID")).ShouldBe([null, "1", "1", "1", "1", "1"]);
        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Completed);
    }

    [Fact]
    public async Task Again_after_a_close_it_goes_on_from_the_same_place()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1), Ending.Silence), Stream(Events(2)));
        await using var probe = TransportProbe.For(server.Address);
        await probe.ReadTextsAsync(1);
        await probe.Transport.CloseAsync(probe.Token);

        await probe.Transport.ConnectAsync(probe.Token);

        (await probe.ReadTextsAsync()).ShouldBe(["2"]);
        server.Requests[1].Header("Last-Event-ID").ShouldBe("1");
    }

    [Fact]
    public async Task May_be_called_again_from_the_handler_that_is_told_of_the_end()
    {
        await using var server = ScriptedServer.Start([.. Enumerable.Range(1, 50).Select(i => Stream(Events(i)))]);
        await using var probe = TransportProbe.For(server.Address);
        var connected = new List<Task>();
        var isEnough = new TaskCompletionSource();
        probe.Transport.Closed += (_, _) =>
        {
            if (connected.Count == 49)
            {
                isEnough.SetResult();
                return;
            }

            connected.Add(probe.Transport.ConnectAsync(probe.Token));
        };

        await probe.Transport.ConnectAsync(probe.Token);
        await isEnough.Task.WaitAsync(probe.Token);
        await Task.WhenAll(connected);

        (await probe.ReadTextsAsync()).ShouldBe([.. Enumerable.Range(1, 50).Select(i => $"{i}")]);
        probe.All<ClosedEvent>().Count.ShouldBe(50);
    }

    [Fact]
    public async Task A_reader_that_came_before_the_restart_is_told_the_end_or_goes_on()
    {
        for (var round = 0; round < 50; round++)
        {
            await using var server = ScriptedServer.Start(Stream(Events(1)), Stream(Events(2)));
            await using var probe = TransportProbe.For(server.Address);
            var reading = probe.ReadTextsAsync();
            await probe.Transport.Completion.WaitAsync(probe.Token);
            await probe.Transport.ConnectAsync(probe.Token);
            var texts = await reading.WaitAsync(probe.Token);
            await probe.Transport.Completion.WaitAsync(probe.Token);

            if (texts.Count == 1)
            {
                texts.AddRange(await probe.ReadTextsAsync());
            }

            texts.ShouldBe(["1", "2"]);
        }
    }

    [Fact]
    public async Task Cancelled_before_the_first_connection_it_closes_the_transport()
    {
        await using var server = ScriptedServer.Start(NeverAnswer);
        await using var probe = TransportProbe.For(server.Address);
        using var cancel = new CancellationTokenSource();
        var connecting = probe.Transport.ConnectAsync(cancel.Token);
        await server.WaitForRequestsAsync(1, probe.Token);

        await cancel.CancelAsync();

        (await Should.ThrowAsync<OperationCanceledException>(connecting)).CancellationToken.ShouldBe(cancel.Token);
        probe.Transport.State.ShouldBe(TransportState.Closed);
        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Closed);
    }

    [Fact]
    public async Task Cancelling_a_call_that_only_joined_ends_that_wait_alone()
    {
        await using var server = ScriptedServer.Start(NeverAnswer);
        await using var probe = TransportProbe.For(server.Address);
        using var cancel = new CancellationTokenSource();
        var starter = probe.Transport.ConnectAsync(probe.Token);
        var joined = probe.Transport.ConnectAsync(cancel.Token);
        await server.WaitForRequestsAsync(1, probe.Token);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(joined);
        probe.Transport.State.ShouldBe(TransportState.Connecting);
        await probe.Transport.CloseAsync(probe.Token);
        (await Should.ThrowAsync<TransportException>(starter)).Code.ShouldBe(TransportErrorCode.NotConnected);
    }
}
