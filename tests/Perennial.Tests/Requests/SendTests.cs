using Perennial.Http;
using System.Collections.Concurrent;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Requests;

/// <summary>Messages to the server: each a POST with a key of its own, in order, and an honest word on its fate.</summary>
public class SendTests
{
    [Fact]
    public async Task A_message_is_posted_with_its_kind_and_key_and_acknowledged()
    {
        await using var server = ScriptedServer.Start(StreamAnd(Status(200)));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.Transport.SendAsync("hé", probe.Token)).ShouldBe(SendOutcome.Acknowledged);
        await probe.Transport.SendAsync(new byte[] { 1, 2 }, probe.Token);

        var posts = Posts(server);
        posts.Select(post => (post.Target, post.Text, post.Header("Content-Type"))).ShouldBe(
            [("/", "hé", "text/plain; charset=utf-8"), ("/", "\u0001\u0002", "application/octet-stream")]);
        posts.ShouldAllBe(post => post.Header("Idempotency-Key")!.StartsWith('"'));
        posts.Select(post => post.Header("Idempotency-Key")).Distinct(StringComparer.Ordinal).Count().ShouldBe(2);
    }

    [Fact]
    public async Task The_order_of_the_calls_is_kept()
    {
        await using var server = ScriptedServer.Start(StreamAnd(Status(200)));
        await using var probe = TransportProbe.For(server.Address);

        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => probe.Transport.SendAsync($"{i}", probe.Token)));

        Posts(server).Select(post => post.Text).ShouldBe(Enumerable.Range(0, 100).Select(i => $"{i}"));
    }

    [Theory]
    [InlineData(503)]
    [InlineData(0)]
    public async Task A_retry_carries_the_same_key(int status)
    {
        var answers = new ConcurrentQueue<Func<ScriptedExchange, Task>>([status == 0 ? ResetUnanswered : Status(status)]);
        await using var server =
            ScriptedServer.Start(PerennialAnd(exchange => answers.TryDequeue(out var next) ? next(exchange) : Status(200)(exchange)));
        await using var probe = TransportProbe.For(server.Address);

        await probe.Transport.SendAsync("a", probe.Token);
        await probe.Transport.SendAsync("b", probe.Token);

        var posts = Posts(server);
        string.Concat(posts.Select(post => post.Text)).ShouldBe("aab");
        posts[1].Header("Idempotency-Key").ShouldBe(posts[0].Header("Idempotency-Key"));
        posts[2].Header("Idempotency-Key").ShouldNotBeNull().ShouldNotBe(posts[0].Header("Idempotency-Key")!, StringComparer.Ordinal);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(413)]
    public async Task A_refused_message_was_not_sent_and_holds_up_no_other(int status)
    {
        var answers = new ConcurrentQueue<Func<ScriptedExchange, Task>>([Status(status)]);
        await using var server =
            ScriptedServer.Start(StreamAnd(exchange => answers.TryDequeue(out var next) ? next(exchange) : Status(200)(exchange)));
        await using var probe = TransportProbe.For(server.Address);

        var refused = probe.Transport.SendAsync("a", probe.Token);
        var accepted = probe.Transport.SendAsync("b", probe.Token);

        var error = await Should.ThrowAsync<TransportException>(refused);
        (error.Code, error.Delivery, (int?)error.HttpStatus).ShouldBe((TransportErrorCode.SendRejected, DeliveryStatus.NotSent, status));
        (await accepted).ShouldBe(SendOutcome.Acknowledged);
        probe.Transport.State.ShouldBe(TransportState.Connected);
    }

    [Fact]
    public async Task A_message_whose_fate_is_unknown_when_the_attempts_are_spent_says_so()
    {
        await using var server = ScriptedServer.Start(PerennialAnd(Status(503)));
        await using var probe = TransportProbe.For(server.Address);

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.SendAsync("a", probe.Token));

        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.AttemptsExhausted, DeliveryStatus.Unknown));
        Posts(server).Count.ShouldBe(6);
    }

    [Fact]
    public async Task A_first_try_that_may_have_arrived_is_not_forgotten_over_later_ones()
    {
        var answers = new ConcurrentQueue<Func<ScriptedExchange, Task>>([ResetUnanswered, Status(409)]);
        await using var server =
            ScriptedServer.Start(PerennialAnd(exchange => answers.TryDequeue(out var next) ? next(exchange) : Status(200)(exchange)));
        await using var probe = TransportProbe.For(server.Address);

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.SendAsync("a", probe.Token));

        ((int?)error.HttpStatus, error.Delivery).ShouldBe((409, DeliveryStatus.Unknown));
    }

    [Fact]
    public async Task A_server_error_that_is_not_retried_says_nothing_of_the_message()
    {
        await using var server = ScriptedServer.Start(StreamAnd(Status(525)));
        await using var probe = TransportProbe.For(server.Address);

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.SendAsync("a", probe.Token));

        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.SendRejected, DeliveryStatus.Unknown));
    }

    [Fact]
    public async Task A_message_is_not_posted_to_the_url_of_a_prompt()
    {
        await using var server = ScriptedServer.Start(Stream(": hello\n\n", Ending.Silence));
        await using var probe =
            new TransportProbe(new SseTransportOptions { Endpoint = server.Address, Body = RequestBody.Text("prompt") });

        var error = await Should.ThrowAsync<NotSupportedException>(probe.Transport.SendAsync("more", probe.Token));

        error.Message.ShouldContain("SendEndpoint");
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_connection_that_cannot_recognize_a_repetition_gets_none()
    {
        var tries = 0;
        await using var transport = new InMemoryTransport(new InMemoryTransportOptions { Reconnect = TransportProbe.AtOnce });
        await transport.ConnectAsync(TestContext.Current.CancellationToken);
        transport.Connection.OnSend = (_, _) =>
        {
            tries++;
            throw new TransportException(
                TransportErrorCode.ConnectionLost, "lost", isTransient: true) { Delivery = DeliveryStatus.Unknown };
        };

        var error = await Should.ThrowAsync<TransportException>(transport.SendAsync("a", TestContext.Current.CancellationToken));

        (tries, error.Delivery).ShouldBe((1, DeliveryStatus.Unknown));
    }

    [Fact]
    public async Task A_cancelled_message_gives_its_place_free()
    {
        await using var transport = new InMemoryTransport(
            new InMemoryTransportOptions { Send = new SendOptions { QueueCapacity = 2 } }, open: static async (_, _, token) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                throw new OperationCanceledException(token);
            });
        using var cancel = new CancellationTokenSource();
        var first = transport.SendAsync("first", TestContext.Current.CancellationToken);
        var second = transport.SendAsync("second", cancel.Token);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(second);

        var third = transport.SendAsync("third", TestContext.Current.CancellationToken);

        third.IsFaulted.ShouldBeFalse();
        await transport.DisposeAsync();
        await Should.ThrowAsync<TransportException>(first);
        await Should.ThrowAsync<TransportException>(third);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    public async Task A_redirect_that_would_lose_the_message_is_refused(int status)
    {
        await using var server = ScriptedServer.Start(StreamAnd(Status(status, ("Location", "/login"))));
        await using var probe = TransportProbe.For(server.Address);

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.SendAsync("a", probe.Token));

        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.RedirectRefused, DeliveryStatus.NotSent));
        Posts(server).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Messages_wait_while_there_is_no_connection()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(Status(503), StreamAnd(Status(200)));
        await using var probe = new TransportProbe(
            new SseTransportOptions { Endpoint = server.Address, Reconnect = TransportProbe.WithoutJitter },
            new TransportServices { Time = clock });

        var sends = Enumerable.Range(0, 3).Select(i => probe.Transport.SendAsync($"{i}", probe.Token)).ToList();
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(1), probe.Token);
        sends.ShouldAllBe(send => !send.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));

        await Task.WhenAll(sends);
        Posts(server).Select(post => post.Text).ShouldBe(["0", "1", "2"]);
    }

    [Fact]
    public async Task Messages_that_wait_at_a_close_were_not_sent()
    {
        await using var server = ScriptedServer.Start(NeverAnswer);
        await using var probe = TransportProbe.For(server.Address);
        var sends = Enumerable.Range(0, 3).Select(i => probe.Transport.SendAsync($"{i}", probe.Token)).ToList();
        await server.WaitForRequestsAsync(1, probe.Token);

        await probe.Transport.CloseAsync(probe.Token);

        foreach (var send in sends)
        {
            var error = await Should.ThrowAsync<TransportException>(send);
            (error.Code, error.Delivery).ShouldBe((TransportErrorCode.NotConnected, DeliveryStatus.NotSent));
        }

        var late = probe.Transport.SendAsync("late", probe.Token);
        (await Should.ThrowAsync<TransportException>(late)).Delivery.ShouldBe(DeliveryStatus.NotSent);
        Posts(server).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_close_ends_the_wait_between_two_tries()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(PerennialAnd(Status(503)));
        await using var probe = new TransportProbe(
            new SseTransportOptions { Endpoint = server.Address, Reconnect = TransportProbe.WithoutJitter },
            new TransportServices { Time = clock });
        var send = probe.Transport.SendAsync("a", probe.Token);
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(1), probe.Token);

        await probe.Transport.CloseAsync(probe.Token);

        var error = await Should.ThrowAsync<TransportException>(send.WaitAsync(probe.Token));
        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.NotConnected, DeliveryStatus.Unknown));
        Posts(server).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_full_queue_refuses_the_next_message_at_once()
    {
        await using var server = ScriptedServer.Start(NeverAnswer);
        await using var probe =
            new TransportProbe(new SseTransportOptions { Endpoint = server.Address, Send = new() { QueueCapacity = 2 } });
        var waiting = new[] { probe.Transport.SendAsync("1", probe.Token), probe.Transport.SendAsync("2", probe.Token) };

        var refused = probe.Transport.SendAsync("3", probe.Token);

        var error = await Should.ThrowAsync<TransportException>(refused);
        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.SendQueueFull, DeliveryStatus.NotSent));
        waiting.ShouldAllBe(send => !send.IsCompleted);
        await probe.Transport.CloseAsync(probe.Token);
        await Should.ThrowAsync<TransportException>(Task.WhenAll(waiting));
    }

    [Fact]
    public async Task A_message_that_is_too_large_is_a_mistake_of_the_caller()
    {
        await using var server = ScriptedServer.Start(NeverAnswer);
        await using var probe =
            new TransportProbe(new SseTransportOptions { Endpoint = server.Address, Send = new() { MaxMessageBytes = 3 } });

        Should.Throw<ArgumentException>(() => { _ = probe.Transport.SendAsync("four", probe.Token); });

        probe.Transport.State.ShouldBe(TransportState.Idle);
    }

    [Fact]
    public async Task A_send_endpoint_of_its_own_gets_the_messages()
    {
        await using var server = ScriptedServer.Start(StreamAnd(Status(202)));
        await using var probe =
            new TransportProbe(new SseTransportOptions { Endpoint = server.Address, SendEndpoint = new Uri(server.Address, "/in") });

        await probe.Transport.SendAsync("a", probe.Token);

        Posts(server).ShouldHaveSingleItem().Target.ShouldBe("/in");
    }

    /// <summary>A stream that stays open for every GET, and an answer for every POST.</summary>
    private static Func<ScriptedExchange, Task> StreamAnd(Func<ScriptedExchange, Task> answer) =>
        exchange => exchange.Request.Method is "GET" ? Stream(": hello\n\n", Ending.Silence)(exchange) : answer(exchange);

    /// <summary>The same of a server that speaks Perennial's protocol.</summary>
    private static Func<ScriptedExchange, Task> PerennialAnd(Func<ScriptedExchange, Task> answer) =>
        exchange => exchange.Request.Method is "GET"
            ? Stream(": hello\n\n", Ending.Silence, BodyScripts.SpeaksPerennial)(exchange)
            : answer(exchange);

    private static List<RecordedRequest> Posts(ScriptedServer server) => [.. server.Requests.Where(request => request.Method is "POST")];
}
