using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using static Perennial.Tests.WebSockets.PerennialV1.PerennialSocket;

namespace Perennial.Tests.WebSockets.PerennialV1;

/// <summary>
/// Numbered sends over lines that are cut: repeated under their numbers, taken once, and of an unknown fate only where nobody can know.
/// </summary>
public class SendOverCutsTests
{
    private readonly TaskCompletionSource<List<Said>> _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task What_arrived_without_its_ack_is_repeated_under_its_number()
    {
        Said? first = null, again = null;
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                first = await socket.MeetAsync(0);
                await socket.HearSendsAsync(3);
                await socket.AcknowledgeAsync(1);
            }),
            Script(async socket =>
            {
                again = await socket.MeetAsync(1);
                _heard.SetResult(await socket.HearSendsAsync(3));
                await socket.AcknowledgeAsync(4);
                await socket.WaitForGoodbyeAsync();
            }));
        await using var probe = server.SocketProbe();
        var sends = Sends(probe, "a", "b", "c");
        await sends[0];
        sends = [.. sends, probe.Transport.SendAsync("d", probe.Token)];

        (await Task.WhenAll(sends)).ShouldAllBe(static outcome => outcome == SendOutcome.Acknowledged);
        (again!.Sender, again.Next).ShouldBe((first!.Sender, 2));
        (await _heard.Task).Select(static said => (said.Number, said.Text)).ShouldBe([(2, "b"), (3, "c"), (4, "d")]);
    }

    [Fact]
    public async Task What_the_server_says_it_has_is_not_repeated()
    {
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                await socket.MeetAsync(0);
                await socket.HearSendsAsync(3);
                await socket.AcknowledgeAsync(1);
            }),
            Script(async socket =>
            {
                await socket.MeetAsync(2);
                _heard.SetResult(await socket.HearSendsAsync(1));
                await socket.AcknowledgeAsync(3);
                await socket.WaitForGoodbyeAsync();
            }));
        await using var probe = server.SocketProbe();

        await Task.WhenAll(Sends(probe, "a", "b", "c"));

        (await _heard.Task).Single().Number.ShouldBe(3);
    }

    [Fact]
    public async Task Nothing_is_sent_to_a_server_that_may_have_forgotten_before_it_says_what_it_has()
    {
        var isSilent = false;
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                await socket.MeetAsync(0);
                await socket.HearSendsAsync(2);
                await socket.AcknowledgeAsync(1);
            }),
            Script(async socket =>
            {
                (await socket.HearAsync())!.Type.ShouldBe("perennial.sender");
                await socket.Frames.SendAsync(Frame.Ping());
                isSilent = (await socket.Frames.ReceiveAsync())!.Opcode == 10;
                await socket.AcknowledgeAsync(1);
                await socket.HearSendsAsync(1);
                await socket.AcknowledgeAsync(2);
                await socket.WaitForGoodbyeAsync();
            }));
        await using var probe = server.SocketProbe();

        await Task.WhenAll(Sends(probe, "a", "b"));

        isSilent.ShouldBeTrue();
    }

    [Fact]
    public async Task A_server_that_has_forgotten_gets_nothing_twice_and_the_rest_goes_on()
    {
        Said? first = null, renamed = null;
        var isCut = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                first = await socket.MeetAsync(0);
                await socket.HearSendsAsync(3);
                await socket.AcknowledgeAsync(1);
            }),
            Script(async socket =>
            {
                await isCut.Task;
                await socket.MeetAsync(0);
                renamed = await socket.MeetAsync(0);
                _heard.SetResult(await socket.HearSendsAsync(2));
                await socket.AcknowledgeAsync(2);
                await socket.WaitForGoodbyeAsync();
            }));
        await using var probe = server.SocketProbe();
        var lost = Sends(probe, "a", "b", "c");
        await lost[0];
        await probe.WaitForAsync<ConnectedEvent>(2);
        var kept = Sends(probe, "d", "e");
        isCut.SetResult();

        await ShouldFailAsync(lost[1], TransportErrorCode.ConnectionLost, DeliveryStatus.Unknown);
        await ShouldFailAsync(lost[2], TransportErrorCode.ConnectionLost, DeliveryStatus.Unknown);
        await Task.WhenAll(kept);
        renamed!.Next.ShouldBe(1);
        renamed.Sender.ShouldNotBe(first!.Sender);
        (await _heard.Task).Select(static said => (said.Number, said.Text)).ShouldBe([(1, "d"), (2, "e")]);
    }

    [Fact]
    public async Task A_refusal_that_was_lost_is_told_again_before_the_answer()
    {
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                await socket.MeetAsync(0);
                await socket.HearSendsAsync(3);
            }),
            Script(async socket =>
            {
                (await socket.HearAsync())!.Next.ShouldBe(1);
                await socket.RefuseAsync(2, "forbidden");
                await socket.AcknowledgeAsync(3);
                await socket.WaitForGoodbyeAsync();
            }));
        await using var probe = server.SocketProbe();
        var sends = Sends(probe, "a", "b", "c");

        await ShouldFailAsync(sends[1], TransportErrorCode.SendRejected, DeliveryStatus.NotSent);
        (await sends[0]).ShouldBe(SendOutcome.Acknowledged);
        (await sends[2]).ShouldBe(SendOutcome.Acknowledged);
    }

    [Fact]
    public async Task After_an_end_another_session_begins_under_another_name()
    {
        List<Said> senders = [];
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                senders.Add(await socket.MeetAsync(0));
                await socket.HearSendsAsync(1);
                _heard.SetResult([]);
                await socket.WaitForGoodbyeAsync();
            }),
            Script(async socket =>
            {
                senders.Add(await socket.MeetAsync(0));
                (await socket.HearSendsAsync(1)).Single().Text.ShouldBe("b");
                await socket.AcknowledgeAsync(1);
                await socket.WaitForGoodbyeAsync();
            }));
        await using var probe = server.SocketProbe();
        var lost = probe.Transport.SendAsync("a", probe.Token);
        await _heard.Task;
        await probe.Transport.CloseAsync(probe.Token);
        await ShouldFailAsync(lost, TransportErrorCode.NotConnected, DeliveryStatus.Unknown);

        await probe.Transport.ConnectAsync(probe.Token);
        (await probe.Transport.SendAsync("b", probe.Token)).ShouldBe(SendOutcome.Acknowledged);

        senders.Select(static sender => sender.Sender).Distinct(StringComparer.Ordinal).Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_server_that_numbers_no_more_leaves_an_unknown_fate_and_gets_what_follows()
    {
        var plain = new TaskCompletionSource<string>();
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                await socket.MeetAsync(0);
                await socket.HearSendsAsync(1);
            }),
            ServerSocket.Script(async socket =>
            {
                plain.SetResult((await socket.ReceiveNextAsync(1))!.Text);
                await socket.ReceiveNextAsync(8);
            }));
        await using var probe = server.SocketProbe();

        await ShouldFailAsync(probe.Transport.SendAsync("a", probe.Token), TransportErrorCode.ConnectionLost, DeliveryStatus.Unknown);

        (await probe.Transport.SendAsync("b", probe.Token)).ShouldBe(SendOutcome.Sent);
        (await plain.Task.Soon()).ShouldBe("b");
    }

    [Fact]
    public async Task Answers_are_progress_so_that_a_line_that_keeps_being_cut_is_not_given_up()
    {
        const int Cuts = 20;
        var received = 0;
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.MeetAsync(received);
            await socket.HearSendsAsync(1);
            await socket.AcknowledgeAsync(++received);
            if (received > Cuts)
            {
                await socket.WaitForGoodbyeAsync();
            }
        }));
        await using var probe = server.SocketProbe();

        foreach (var send in Enumerable.Range(0, Cuts + 1).Select(i => probe.Transport.SendAsync($"{i}", probe.Token)).ToList())
        {
            (await send).ShouldBe(SendOutcome.Acknowledged);
        }
    }

    private static Task<SendOutcome>[] Sends(TransportProbe probe, params string[] texts) =>
        [.. texts.Select(text => probe.Transport.SendAsync(text, probe.Token))];

    private static async Task ShouldFailAsync(Task<SendOutcome> send, TransportErrorCode code, DeliveryStatus delivery)
    {
        var error = await Should.ThrowAsync<TransportException>(send.Soon());
        (error.Code, error.Delivery).ShouldBe((code, delivery));
    }
}
