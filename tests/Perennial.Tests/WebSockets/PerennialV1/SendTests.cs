using System.Text.Json.Serialization.Metadata;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using static Perennial.Tests.WebSockets.PerennialV1.PerennialSocket;

namespace Perennial.Tests.WebSockets.PerennialV1;

/// <summary>Numbered sends: each acknowledged or honestly not, and in order.</summary>
public class SendTests
{
    private readonly TaskCompletionSource<List<Said>> _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task Messages_are_numbered_and_acknowledged_and_stand_as_what_they_are()
    {
        Said? sender = null;
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            sender = await socket.MeetAsync(0);
            _heard.SetResult(await socket.HearSendsAsync(4));
            await socket.AcknowledgeAsync(4);
            await socket.WaitForGoodbyeAsync();
        }));
        await using var probe = server.SocketProbe();

        var outcomes = await Task.WhenAll(
            probe.Transport.SendAsync("h\"é", probe.Token),
            probe.Transport.SendAsync(new byte[] { 0, 1, 255 }, probe.Token),
            probe.Transport.SendJsonAsync(7, Json<int>(), probe.Token),
            probe.Transport.SendJsonAsync("text", Json<string>(), probe.Token)).WaitAsync(probe.Token);

        outcomes.ShouldAllBe(static outcome => outcome == SendOutcome.Acknowledged);
        (await _heard.Task).Select(static said => said.Json).ShouldBe(
        [
            """{"type":"perennial.send","number":1,"data":"h\"é"}""",
            """{"type":"perennial.send","number":2,"binary":"AAH/"}""",
            """{"type":"perennial.send","number":3,"data":7}""",
            """{"type":"perennial.send","number":4,"data":"\"text\""}""",
        ]);
        sender!.Next.ShouldBe(1);
        sender.Sender!.Length.ShouldBe(22);
        sender.Sender.ShouldAllBe(static c => char.IsAsciiLetterOrDigit(c) || c == '-' || c == '_');
    }

    [Fact]
    public async Task Many_are_in_flight_and_one_answer_may_do_for_all()
    {
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.MeetAsync(0);
            _heard.SetResult(await socket.HearSendsAsync(100));
            await socket.AcknowledgeAsync(100);
            await socket.WaitForGoodbyeAsync();
        }));
        await using var probe = server.SocketProbe();

        await Task.WhenAll(Enumerable.Range(1, 100).Select(i => probe.Transport.SendAsync($"{i}", probe.Token)));

        (await _heard.Task)
            .Select(static said => (said.Number, said.Text))
            .ShouldBe(Enumerable.Range(1, 100).Select(static i => ((long)i, (string?)$"{i}")));
    }

    [Fact]
    public async Task A_refused_message_was_not_sent_and_holds_up_no_other()
    {
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.MeetAsync(0);
            await socket.HearSendsAsync(3);
            await socket.RefuseAsync(2, "payload_too_large");
            await socket.AcknowledgeAsync(3);
            (await socket.HearSendsAsync(1)).Single().Number.ShouldBe(4);
            await socket.AcknowledgeAsync(4);
            await socket.WaitForGoodbyeAsync();
        }));
        await using var probe = server.SocketProbe();
        var sends = Sends(probe, "a", "b", "c");

        var error = await Should.ThrowAsync<TransportException>(sends[1].Soon());

        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.SendRejected, DeliveryStatus.NotSent));
        (error.ServerCode, error.ServerMessage).ShouldBe(("payload_too_large", "No."));
        error.Message.ShouldNotContain("No.");
        (await sends[0]).ShouldBe(SendOutcome.Acknowledged);
        (await sends[2]).ShouldBe(SendOutcome.Acknowledged);
        (await probe.Transport.SendAsync("d", probe.Token)).ShouldBe(SendOutcome.Acknowledged);
        probe.Transport.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task An_answer_to_what_was_not_sent_is_a_violation()
    {
        Frame? goodbye = null;
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.MeetAsync(0);
            await socket.HearSendsAsync(1);
            await socket.AcknowledgeAsync(2);
            goodbye = await socket.Frames.ReceiveNextAsync(8);
        }));
        await using var probe = server.SocketProbe();

        var send = probe.Transport.SendAsync("a", probe.Token);

        await ShouldFailAsync(send, TransportErrorCode.NotConnected, DeliveryStatus.Unknown);
        (await probe.Transport.Completion).Error!.Code.ShouldBe(TransportErrorCode.ProtocolViolation);
        await Patience.Until(() => goodbye is not null, "the goodbye is heard");
        goodbye!.CloseCode.ShouldBe(1002);
    }

    [Fact]
    public async Task A_message_cancelled_in_flight_keeps_its_number_and_the_order_of_the_others()
    {
        var isCancelled = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                await socket.MeetAsync(0);
                _heard.SetResult(await socket.HearSendsAsync(3));
                await isCancelled.Task;
            }),
            Script(async socket =>
            {
                await socket.MeetAsync(0);
                (await socket.HearSendsAsync(3)).Select(static said => (said.Number, said.Text)).ShouldBe([(1, "a"), (2, "b"), (3, "c")]);
                await socket.AcknowledgeAsync(3);
                await socket.WaitForGoodbyeAsync();
            }));
        await using var probe = server.SocketProbe();
        using var cancel = new CancellationTokenSource();
        Task<SendOutcome>[] sends = [.. Sends(probe, "a"), probe.Transport.SendAsync("b", cancel.Token), .. Sends(probe, "c")];
        await _heard.Task;

        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(sends[1]);
        isCancelled.SetResult();

        (await sends[0]).ShouldBe(SendOutcome.Acknowledged);
        (await sends[2]).ShouldBe(SendOutcome.Acknowledged);
    }

    [Fact]
    public async Task A_message_cancelled_before_it_left_leaves_no_hole()
    {
        var open = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                await socket.MeetAsync(0);
                await socket.HearSendsAsync(1);
                await socket.AcknowledgeAsync(1);
            }),
            Script(async socket =>
            {
                (await socket.HearAsync())!.Next.ShouldBe(2);
                await open.Task;
                await socket.AcknowledgeAsync(1);
                _heard.SetResult(await socket.HearSendsAsync(2));
                await socket.AcknowledgeAsync(3);
                await socket.WaitForGoodbyeAsync();
            }));
        await using var probe = server.SocketProbe();
        await probe.Transport.SendAsync("a", probe.Token);
        await probe.WaitForAsync<ConnectedEvent>(2);
        using var cancel = new CancellationTokenSource();
        Task<SendOutcome>[] sends = [.. Sends(probe, "b"), probe.Transport.SendAsync("c", cancel.Token), .. Sends(probe, "d")];

        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(sends[1]);
        open.SetResult();

        await Task.WhenAll(sends[0], sends[2]);
        (await _heard.Task).Select(static said => (said.Number, said.Text)).ShouldBe([(2, "b"), (3, "d")]);
    }

    [Fact]
    public async Task No_more_than_the_window_is_without_an_answer()
    {
        const int Window = 256;
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.MeetAsync(0);
            await socket.HearSendsAsync(Window);
            await socket.Frames.SendAsync(Frame.Ping());
            (await socket.Frames.ReceiveAsync())!.Opcode.ShouldBe(10);
            await socket.AcknowledgeAsync(10);
            (await socket.HearSendsAsync(10))[^1].Number.ShouldBe(Window + 10);
            await socket.AcknowledgeAsync(Window + 10);
            await socket.HearSendsAsync(300 - Window - 10);
            await socket.AcknowledgeAsync(300);
            await socket.WaitForGoodbyeAsync();
        }));
        await using var probe = server.SocketProbe(static options => options with { Send = new() { QueueCapacity = 300 } });

        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => probe.Transport.SendAsync($"{i}", probe.Token)));
    }

    [Fact]
    public async Task Those_without_an_answer_take_their_place_in_the_queue()
    {
        var answer = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.MeetAsync(0);
            _heard.SetResult(await socket.HearSendsAsync(2));
            await answer.Task;
            await socket.AcknowledgeAsync(2);
            await socket.HearSendsAsync(1);
            await socket.AcknowledgeAsync(3);
            await socket.WaitForGoodbyeAsync();
        }));
        await using var probe = server.SocketProbe(static options => options with { Send = new() { QueueCapacity = 2 } });
        var sends = Sends(probe, "a", "b");
        await _heard.Task;

        await ShouldFailAsync(probe.Transport.SendAsync("c", probe.Token), TransportErrorCode.SendQueueFull, DeliveryStatus.NotSent);

        answer.SetResult();
        await Task.WhenAll(sends);
        (await probe.Transport.SendAsync("d", probe.Token)).ShouldBe(SendOutcome.Acknowledged);
    }

    [Fact]
    public async Task A_close_tells_what_has_left_from_what_has_not()
    {
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                await socket.MeetAsync(0);
                await socket.HearSendsAsync(2);
                await socket.AcknowledgeAsync(1);
            }),
            Script(static socket => socket.WaitForGoodbyeAsync()));
        await using var probe = server.SocketProbe();
        var left = Sends(probe, "a", "b");
        await left[0];
        await probe.WaitForAsync<ConnectedEvent>(2);
        var stayed = Sends(probe, "c");

        await probe.Transport.CloseAsync(probe.Token);

        await ShouldFailAsync(left[1], TransportErrorCode.NotConnected, DeliveryStatus.Unknown);
        await ShouldFailAsync(stayed[0], TransportErrorCode.NotConnected, DeliveryStatus.NotSent);
    }

    private static Task<SendOutcome>[] Sends(TransportProbe probe, params string[] texts) =>
        [.. texts.Select(text => probe.Transport.SendAsync(text, probe.Token))];

    private static async Task ShouldFailAsync(Task<SendOutcome> send, TransportErrorCode code, DeliveryStatus delivery)
    {
        var error = await Should.ThrowAsync<TransportException>(send.Soon());
        (error.Code, error.Delivery).ShouldBe((code, delivery));
    }

    private static JsonTypeInfo<T> Json<T>() =>
        JsonTypeInfo.CreateJsonTypeInfo<T>(new() { TypeInfoResolver = new DefaultJsonTypeInfoResolver() });
}
