using Perennial.Requests;
using Perennial.Tests.Fixtures;
using static Perennial.Tests.RequestReply.RequestText;

namespace Perennial.Tests.RequestReply;

/// <summary>What becomes of requests when the connection or the transport does not last.</summary>
public class LostConnectionTests
{
    [Fact]
    public async Task A_numbered_reply_comes_over_the_next_connection()
    {
        await using var asker = new Asker();
        await asker.Transport.ConnectAsync();
        asker.Connection.Say("1");
        await Patience.Until(() => asker.Transport.LastEventId is "1", "the stream is numbered");
        var reply = asker.Transport.RequestAsync("{}");
        var request = await asker.SentAsync();
        asker.Connection.Break();
        await Patience.Until(() => asker.Transport.Connections.Count == 2, "reconnected");

        asker.Connection.SayNumbered(2, Reply(request));

        (await reply.Soon()).Text.ShouldBe(Reply(request));
        await Patience.Until(() => asker.Transport.LastEventId is "2", "the cursor is past the reply");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_the_server_does_not_number_what_it_says_the_reply_may_be_lost_and_the_request_says_so(bool hasSaidSomething)
    {
        await using var asker = new Asker();
        await asker.Transport.ConnectAsync();
        if (hasSaidSomething)
        {
            asker.Connection.SayPlain("hello");
            await Patience.Until(() => asker.Metrics.MessagesReceived == 1, "the stream is known not to be numbered");
        }

        var lost = asker.Transport.RequestAsync("{}");
        var request = await asker.SentAsync();
        asker.Connection.Break();

        var error = await Should.ThrowAsync<TransportException>(lost.Soon());
        (error.Code, error.Delivery, error.IsTransient).ShouldBe((TransportErrorCode.ReplyLost, DeliveryStatus.Unknown, true));

        var next = asker.Transport.RequestAsync("{}");
        await asker.SentAsync(1);
        asker.Connection.SayPlain(Reply(request), Reply(asker.Sent[1]));
        await next.Soon();
        asker.Metrics.LateReplies.ShouldBe(1);
    }

    [Fact]
    public async Task A_request_that_waits_for_the_next_connection_is_not_lost_with_the_last()
    {
        await using var asker = new Asker();
        asker.OnSend = static _ =>
            throw new TransportException(
                TransportErrorCode.ConnectionLost, "Gone.", isTransient: true) { Delivery = DeliveryStatus.NotSent };
        await asker.Transport.ConnectAsync();
        var reply = asker.Transport.RequestAsync("{}");
        await Patience.Until(() => asker.Sent.Count == 1, "it was tried once");
        asker.OnSend = static _ => new ValueTask<SendOutcome>(SendOutcome.Sent);
        asker.Connection.Break();

        var request = await asker.SentAsync();
        asker.Connection.SayPlain(Reply(request));

        (await reply.Soon()).Text.ShouldBe(Reply(request));
        asker.Sent.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_send_that_is_confirmed_only_after_the_loss_does_not_save_the_reply()
    {
        var confirm = new TaskCompletionSource<SendOutcome>();
        await using var asker = new Asker();
        asker.OnSend = _ => new ValueTask<SendOutcome>(confirm.Task);
        var reply = asker.Transport.RequestAsync("{}");
        await Patience.Until(() => asker.Sent.Count == 1, "it is being sent");
        asker.Connection.Break();
        await Patience.Until(() => asker.Transport.Connections.Count == 2 && asker.Connection.Reads == 1, "reconnected");
        reply.IsCompleted.ShouldBeFalse();

        confirm.SetResult(SendOutcome.Sent);

        (await Should.ThrowAsync<TransportException>(reply.Soon())).Code.ShouldBe(TransportErrorCode.ReplyLost);
    }

    [Fact]
    public async Task Closing_fails_every_request_at_once()
    {
        await using var asker = new Asker();
        var one = asker.Transport.RequestAsync("{}");
        var many = asker.Transport.RequestStreamAsync("{}").TextsAsync();
        await asker.SentAsync(1);

        await asker.Transport.CloseAsync();

        foreach (var request in new Task[] { one, many })
        {
            var error = await Should.ThrowAsync<TransportException>(request.Soon());
            (error.Code, error.Delivery, error.InnerException).ShouldBe((TransportErrorCode.NotConnected, DeliveryStatus.Unknown, null));
        }

        asker.Metrics.OutstandingRequests.ShouldBe(0);
        var late = await Should.ThrowAsync<TransportException>(asker.Transport.RequestAsync("{}").Soon());
        (late.Code, late.Delivery).ShouldBe((TransportErrorCode.NotConnected, DeliveryStatus.NotSent));
    }

    [Fact]
    public async Task A_failed_transport_tells_its_requests_why()
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync("{}");
        await asker.SentAsync();
        asker.Connection.Break(isTransient: false);

        var error = await Should.ThrowAsync<TransportException>(reply.Soon());

        error.Code.ShouldBe(TransportErrorCode.NotConnected);
        error.InnerException.ShouldBeOfType<TransportException>().Code.ShouldBe(TransportErrorCode.ConnectionLost);
    }

    [Fact]
    public async Task A_stream_that_completes_before_the_reply_ends_the_request_but_not_the_replies_that_came()
    {
        await using var asker = new Asker();
        await using var replies = asker.Transport.RequestStreamAsync("{}").GetAsyncEnumerator();
        var next = replies.MoveNextAsync();
        await asker.AnswerAsync(0, "\"n\":1");
        asker.Connection.Finish();
        (await asker.Transport.Completion.Soon()).ShouldBe(StreamEnd.Completed);

        (await next.Soon()).ShouldBeTrue();
        (await Should.ThrowAsync<TransportException>(replies.MoveNextAsync().Soon())).Code.ShouldBe(TransportErrorCode.NotConnected);
    }

    [Fact]
    public async Task A_transport_that_starts_again_serves_new_requests()
    {
        await using var asker = new Asker();
        var old = asker.Transport.RequestAsync("{}");
        await asker.SentAsync();
        await asker.Transport.CloseAsync();
        await Should.ThrowAsync<TransportException>(old.Soon());
        await asker.Transport.ConnectAsync();

        var reply = asker.Transport.RequestAsync("{}");
        await asker.AnswerAsync(1);

        await reply.Soon();
    }

    [Fact]
    public async Task A_reader_of_replies_that_does_not_read_holds_up_no_close()
    {
        await using var asker = new Asker();
        await using var replies = asker.Transport.RequestStreamAsync("{}", new RequestOptions { BufferCapacity = 1 }).GetAsyncEnumerator();
        var next = replies.MoveNextAsync();
        var request = await asker.SentAsync();
        asker.Connection.SayPlain([.. Enumerable.Range(0, 5).Select(n => Reply(request, $"\"n\":{n}"))]);
        (await next.Soon()).ShouldBeTrue();

        await asker.Transport.CloseAsync().Soon();

        await Should.ThrowAsync<TransportException>(async () =>
        {
            while (await replies.MoveNextAsync().Soon())
            {
            }
        });
    }
}
