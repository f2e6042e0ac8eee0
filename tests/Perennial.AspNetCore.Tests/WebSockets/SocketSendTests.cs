using System.Net.WebSockets;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.WebSockets;

public class SocketSendTests
{
    private const string Sender = "AAAAAAAAAAAAAAAAAAAAAA";

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task Records_sends_in_order_and_acknowledges_them_together()
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);

        await client.NameAsync(Sender, next: 1, received: 0);
        for (var n = 1; n <= 500; n++)
        {
            await client.SendNumberedAsync(n, $"\"m{n}\"");
        }

        await client.AcknowledgedAsync(500);
        (await open.TextsAsync(500)).ShouldBe(Enumerable.Range(1, 500).Select(n => $"m{n}"));
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("""{"type":"perennial.send","number":1,"data":"a\"\u00e9\n"}""", "a\"é\n")]
    [InlineData("""{ "data" : { "x" : [1, 2] } , "number" : 1, "other": [{}], "type" : "perennial.send" }""", "{ \"x\" : [1, 2] }")]
    [InlineData("""{"type":"perennial.send","number":1,"data":null}""", "null")]
    [InlineData("""{"type":"perennial.send","number":1,"data":""}""", "")]
    [InlineData("""{"type":"perennial.send","number":1,"data":"\"quoted\""}""", "\"quoted\"")]
    public async Task A_payload_arrives_as_it_stands(string message, string expected)
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);

        await client.NameAsync(Sender, next: 1, received: 0);
        await client.SendAsync(message);

        await client.AcknowledgedAsync(1);
        (await open.TextsAsync(1)).ShouldBe([expected]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Bytes_arrive_as_bytes()
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);

        await client.NameAsync(Sender, next: 1, received: 0);
        await client.SendAsync("""{"type":"perennial.send","number":1,"binary":"AAH/"}""");

        await client.AcknowledgedAsync(1);
        var message = (await open.MessagesAsync(1)).ShouldHaveSingleItem();
        message.IsBinary.ShouldBeTrue();
        message.Data.ToArray().ShouldBe([0, 1, 255]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task What_came_before_is_acknowledged_again_and_taken_once_over_connections()
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await OpenRun.StartAsync(server);
        await using (var client = await SocketClient.GreetedAsync(server, open.Run))
        {
            await client.NameAsync(Sender, next: 1, received: 0);
            await client.SendNumberedAsync(1, "1");
            await client.SendNumberedAsync(2, "2");
            await client.AcknowledgedAsync(2);
            await client.SendNumberedAsync(2, "2");
            (await client.ReceiveAsync()).ShouldBe(SocketClient.Ack(2));
        }

        await using var again = await SocketClient.GreetedAsync(server, open.Run);
        await again.NameAsync(Sender, next: 2, received: 2);
        await again.SendNumberedAsync(2, "2");
        await again.SendNumberedAsync(3, "3");
        await again.AcknowledgedAsync(3);

        (await open.TextsAsync(3)).ShouldBe(["1", "2", "3"]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_sender_that_was_forgotten_is_told_so_and_goes_on_under_another_name()
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);
        await client.NameAsync(Sender, next: 1, received: 0);
        await client.SendNumberedAsync(1, "1");
        await client.AcknowledgedAsync(1);
        var log = open.Run.Events;
        for (var n = 0; n < 1000; n++)
        {
            await log.ReceiveAsync(new RunMessage { Sender = $"other{n}", Number = 1 }, TestEnds);
        }

        await client.NameAsync(Sender, next: 2, received: 0);
        await client.NameAsync("BBBBBBBBBBBBBBBBBBBBBB", next: 1, received: 0);
        await client.SendNumberedAsync(1, "2");

        await client.AcknowledgedAsync(1);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Too_large_a_message_is_refused_and_uses_its_number_up_and_so_is_its_repetition_elsewhere()
    {
        await using var server = await RunServer.StartAsync(options => options.MaxMessageBytes = 1024);
        await using var open = await OpenRun.StartAsync(server);
        const string refusal = """{"type":"perennial.refused","data":{"number":1,"code":"payload_too_large","message":"The message is larger than the server allows."}}""";
        await using var client = await SocketClient.GreetedAsync(server, open.Run);
        await client.NameAsync(Sender, next: 1, received: 0);

        await client.SendNumberedAsync(1, $"\"{new string('x', 1025)}\"");
        (await client.ReceiveAsync()).ShouldBe(refusal);
        await client.SendNumberedAsync(2, $"\"{new string('x', 1024)}\"");
        await client.AcknowledgedAsync(2);
        await client.SendNumberedAsync(3, $"\"{new string('x', 20_000)}\"");
        (await client.ReceiveAsync()).ShouldBe(refusal.Replace("\"number\":1", "\"number\":3", StringComparison.Ordinal));

        await using var again = await SocketClient.GreetedAsync(server, open.Run);
        await again.SendAsync($$$"""{"type":"perennial.sender","data":{"id":"{{{Sender}}}","next":1}}""");
        (await again.ReceiveAsync()).ShouldBe(refusal);
        (await again.ReceiveAsync()).ShouldBe(refusal.Replace("\"number\":1", "\"number\":3", StringComparison.Ordinal));
        (await again.ReceiveAsync()).ShouldBe(SocketClient.Ack(3));
        (await open.MessagesAsync(1)).ShouldHaveSingleItem().Data.Length.ShouldBe(1024);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_monstrous_message_closes_with_1009_and_is_never_held()
    {
        await using var server = await RunServer.StartAsync(options => options.MaxMessageBytes = 1024);
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);
        await client.NameAsync(Sender, next: 1, received: 0);
        await client.SendAsync("""{"type":"perennial.send","number":1,"data":" """u8.ToArray(), WebSocketMessageType.Text, isWhole: false);

        var flood = FloodAsync();

        (await client.ReadToCloseAsync()).ShouldBe(1009);
        await flood;

        async Task FloodAsync()
        {
            try
            {
                while (client.State == WebSocketState.Open)
                {
                    await client.SendAsync(
                        new byte[4096].Select(static _ => (byte)'x').ToArray(), WebSocketMessageType.Text, isWhole: false);
                }
            }
            catch (WebSocketException)
            {
            }
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Too_large_a_message_that_does_not_say_its_number_first_closes_with_1009()
    {
        await using var server = await RunServer.StartAsync(options => options.MaxMessageBytes = 1024);
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);
        await client.NameAsync(Sender, next: 1, received: 0);

        await client.SendAsync($$"""{"type":"perennial.send","data":"{{new string('x', 5000)}}","number":1}""");

        (await client.ReadToCloseAsync()).ShouldBe(1009);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_producer_that_does_not_keep_up_slows_the_sender_down()
    {
        var clock = new ManualTimeProvider();
        var handled = new TaskCompletionSource();
        await using var server = await RunServer.StartAsync(
            options => (options.MaxPendingMessageBytes, options.HeartbeatInterval) = (0, TimeSpan.FromHours(1)), time: clock);
        await using var open = await OpenRun.StartAsync(server, () => handled.Task);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);
        await client.NameAsync(Sender, next: 1, received: 0);
        await client.SendNumberedAsync(1, "1");
        await client.AcknowledgedAsync(1);
        await client.SendNumberedAsync(2, "2");

        await clock.WaitForTimerAsync(TimeSpan.FromMilliseconds(20), TestEnds);
        clock.Advance(TimeSpan.FromMilliseconds(20));
        await clock.WaitForTimerAsync(TimeSpan.FromMilliseconds(40), TestEnds);
        handled.SetResult();
        var answer = client.ReceiveAsync();
        while (!answer.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        (await answer).ShouldBe(SocketClient.Ack(2));
        (await open.TextsAsync(2)).ShouldBe(["1", "2"]);
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Messages_that_come_too_fast_wait_their_turn_and_none_is_lost(bool speaksPerennial)
    {
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(
            options => (options.MaxMessagesPerSecond, options.HeartbeatInterval) = (2, TimeSpan.FromHours(1)), time: clock);
        await using var open = await OpenRun.StartAsync(server);
        await using var client = speaksPerennial
            ? await SocketClient.GreetedAsync(server, open.Run)
            : await SocketClient.OpenAsync(server, open.Run, protocols: []);
        if (speaksPerennial)
        {
            await client.NameAsync(Sender, next: 1, received: 0);
        }

        for (var n = 1; n <= 4; n++)
        {
            await (speaksPerennial ? client.SendNumberedAsync(n, $"\"{n}\"") : client.SendAsync($"{n}"));
        }

        await clock.WaitForTimerAsync(TimeSpan.FromMilliseconds(500), TestEnds);
        (await open.TextsAsync(2)).ShouldBe(["1", "2"]);
        if (speaksPerennial)
        {
            await client.AcknowledgedAsync(2);
        }

        using (var posted = await server.Client.PostAsync(RunServer.PathOf(open.Run), new StringContent("by POST"), TestEnds))
        {
            posted.StatusCode.ShouldBe(System.Net.HttpStatusCode.TooManyRequests);
        }

        for (var n = 3; n <= 4; n++)
        {
            await clock.WaitForTimerAsync(TimeSpan.FromMilliseconds(500), TestEnds);
            clock.Advance(TimeSpan.FromMilliseconds(500));
            (await open.TextsAsync(n)).ShouldBe(Enumerable.Range(1, n).Select(each => $"{each}"));
        }

        if (speaksPerennial)
        {
            (await client.ReceiveAsync()).ShouldNotBeNull().ShouldStartWith("{\"type\":\"perennial.ack\"");
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_that_takes_no_messages_refuses_them()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync((_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop));
        await using var client = await SocketClient.GreetedAsync(server, run);
        await client.NameAsync(Sender, next: 1, received: 0);

        await client.SendNumberedAsync(1, "1");

        (await client.ReceiveAsync()).ShouldBe(
            """{"type":"perennial.refused","data":{"number":1,"code":"forbidden","message":"This client may not send messages to this run."}}""");
        await run.StopAsync(TestEnds);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_stop_ends_the_run_and_the_end_event_answers_it()
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);

        await client.SendAsync("""{"type":"perennial.stop"}""");

        (await client.ReadToEndAsync()).ShouldBe([$$"""{"id":"{{open.Run.Epoch}}-1","type":"perennial.stopped","data":"[DONE]"}"""]);
        client.CloseCode.ShouldBe(1000);
        (await open.Run.Completion).ShouldBe(RunStatus.Stopped);
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("no json", 4400)]
    [InlineData("", 4400)]
    [InlineData("[]", 4400)]
    [InlineData("{}", 4400)]
    [InlineData("""{"type":"perennial.stop"}{}""", 4400)]
    [InlineData("""{"type":"perennial.stop" """, 4400)]
    [InlineData("""{"type":7}""", 4400)]
    [InlineData("""{"type":"token","data":"an event"}""", 4400)]
    [InlineData("""{"type":"perennial.sender"}""", 4400)]
    [InlineData("""{"type":"perennial.sender","data":{"id":"AAAAAAAAAAAAAAAAAAAAAA"}}""", 4400)]
    [InlineData("""{"type":"perennial.sender","data":{"id":"AAAAAAAAAAAAAAAAAAAAAA","next":0}}""", 4400)]
    [InlineData("""{"type":"perennial.sender","data":{"id":"AAAAAAAAAAAAAAAAAAAAA","next":1}}""", 4400)]
    [InlineData("""{"type":"perennial.sender","data":{"id":"AAAAAAAAAAAAAAAAAAAA/A","next":1}}""", 4400)]
    [InlineData("""{"type":"perennial.sender","data":{"id":["AAAAAAAAAAAAAAAAAAAAAA"],"next":1}}""", 4400)]
    [InlineData("""{"type":"perennial.send","number":1,"data":"no sender"}""", 4400)]
    [InlineData(Named + """{"type":"perennial.send","number":2,"data":"hole"}""", 4400)]
    [InlineData(Named + """{"type":"perennial.send","number":0,"data":""}""", 4400)]
    [InlineData(Named + """{"type":"perennial.send","number":1.5,"data":""}""", 4400)]
    [InlineData(Named + """{"type":"perennial.send","number":99999999999999999999,"data":""}""", 4400)]
    [InlineData(Named + """{"type":"perennial.send","number":1}""", 4400)]
    [InlineData(Named + """{"type":"perennial.send","data":""}""", 4400)]
    [InlineData(Named + """{"type":"perennial.send","number":1,"data":"\ud800"}""", 4400)]
    [InlineData(Named + """{"type":"perennial.send","number":1,"binary":"A"}""", 4400)]
    [InlineData(Named + """{"type":"perennial.send","number":1,"binary":7}""", 4400)]
    [InlineData(Named + """{"type":"perennial.send","number":1,"binary":"","data":""}""", 4400)]
    public async Task A_client_that_breaks_the_rules_is_told_by_the_close_code(string messages, int code)
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);

        foreach (var message in messages.Split('|'))
        {
            await client.SendAsync(message);
        }

        (await client.ReadToCloseAsync()).ShouldBe(code);
        open.Messages.ShouldBeEmpty();
        (await open.Run.GetStatusAsync(TestEnds)).ShouldBe(RunStatus.Running);
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(WebSocketMessageType.Binary, 1003)]
    [InlineData(WebSocketMessageType.Text, 1007)]
    public async Task Bytes_and_bad_utf_8_are_no_messages(WebSocketMessageType type, int code)
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);

        await client.SendAsync([0xFF], type);

        (await client.ReadToCloseAsync()).ShouldBe(code);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Words_of_a_later_version_are_ignored()
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);

        await client.SendAsync("""{"type":"perennial.dance","data":{"steps":3}}""");
        await client.NameAsync(Sender, next: 1, received: 0);
    }

    private const string Named = """{"type":"perennial.sender","data":{"id":"AAAAAAAAAAAAAAAAAAAAAA","next":1}}|""";
}
