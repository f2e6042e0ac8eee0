using Perennial.Engine;
using Perennial.Requests;
using Perennial.Tests.Fixtures;
using static Perennial.Tests.RequestReply.RequestText;

namespace Perennial.Tests.RequestReply;

/// <summary>Requests that end before their reply comes: by time, by the caller, by the limit. Nothing of them is left.</summary>
public class GivingUpTests
{
    [Fact]
    public async Task A_reply_that_does_not_come_in_time_fails_the_request_and_nothing_else()
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync("{}");
        await asker.SentAsync();
        await asker.Clock.WaitForTimerAsync(TimeSpan.FromSeconds(30));
        asker.Clock.Advance(TimeSpan.FromSeconds(30));

        var error = await Should.ThrowAsync<TransportException>(reply.Soon());

        (error.Code, error.Delivery, error.IsTransient).ShouldBe((TransportErrorCode.ReplyTimeout, DeliveryStatus.Unknown, true));
        asker.Transport.State.ShouldBe(TransportState.Connected);
        asker.Metrics.OutstandingRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_request_that_never_left_in_time_says_so_and_does_not_leave_later()
    {
        var goOn = new TaskCompletionSource<SendOutcome>();
        await using var asker = new Asker();
        asker.OnSend = _ => new ValueTask<SendOutcome>(goOn.Task);
        var before = asker.Transport.SendAsync("before");
        await Patience.Until(() => asker.Sent.Count == 1, "the first message is being sent");
        var reply = asker.Transport.RequestAsync("{}", new RequestOptions { Timeout = TimeSpan.FromSeconds(7) });
        await asker.Clock.WaitForTimerAsync(TimeSpan.FromSeconds(7));
        asker.Clock.Advance(TimeSpan.FromSeconds(7));

        var error = await Should.ThrowAsync<TransportException>(reply.Soon());
        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.ReplyTimeout, DeliveryStatus.NotSent));
        goOn.SetResult(SendOutcome.Sent);
        await before.Soon();
        await asker.Transport.SendAsync("after").Soon();

        asker.Sent.ShouldBe(["before", "after"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cancelled_request_ends_as_cancelled(bool wasSent)
    {
        using var cancel = new CancellationTokenSource();
        await using var asker = new Asker();
        if (!wasSent)
        {
            asker.OnSend = static async token =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                return SendOutcome.Sent;
            };
        }

        var reply = asker.Transport.RequestAsync("{}", cancellationToken: cancel.Token);
        await Patience.Until(() => asker.Sent.Count == 1, "it is being sent");
        await cancel.CancelAsync();

        (await Should.ThrowAsync<OperationCanceledException>(reply.Soon())).CancellationToken.ShouldBe(cancel.Token);

        asker.Metrics.OutstandingRequests.ShouldBe(0);
        await Should.ThrowAsync<OperationCanceledException>(asker.Transport.RequestAsync("{}", cancellationToken: cancel.Token));
        asker.Sent.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Late_replies_are_dropped_and_counted_and_mean_nothing_to_the_stream()
    {
        using var cancel = new CancellationTokenSource();
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync("{}", cancellationToken: cancel.Token);
        var request = await asker.SentAsync();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(reply.Soon());
        asker.Connection.Signal = StreamSignal.Completed;
        asker.Connection.SayPlain(Reply(request), Reply(request, "\"done\":true"));
        await Patience.Until(() => asker.Metrics.LateReplies == 2, "both were counted");
        asker.Connection.Signal = StreamSignal.None;

        asker.Connection.SayPlain(Reply(request), "next");

        (await asker.Transport.ReadAllAsync().TextsAsync(2).Soon()).ShouldBe(
            [Reply(request), "next"], "after the last reply the id means nothing any more");
        asker.Metrics.LateReplies.ShouldBe(2);
    }

    [Fact]
    public async Task After_a_long_silence_nothing_late_is_expected_any_more()
    {
        await using var asker = new Asker();
        var reply = asker.Transport.RequestAsync("{}");
        var request = await asker.SentAsync();
        asker.Connection.SayPlain(Reply(request));
        await reply.Soon();
        await Patience.Until(() => asker.Metrics.OutstandingRequests == 0, "nobody waits");

        asker.Clock.Advance(RequestTable.LateReplyLimit - TimeSpan.FromTicks(1));
        asker.Connection.SayPlain(Reply(request, "\"n\":1"));
        await Patience.Until(() => asker.Metrics.LateReplies == 1, "it is late");
        asker.Clock.Advance(RequestTable.LateReplyLimit);
        asker.Connection.SayPlain(Reply(request, "\"n\":2"));

        (await asker.Transport.ReadAllAsync().TextsAsync(1).Soon()).ShouldBe([Reply(request, "\"n\":2")]);
    }

    [Fact]
    public async Task No_more_requests_wait_than_are_allowed()
    {
        await using var asker = new Asker(static options => options with { Send = new() { MaxOutstandingRequests = 2 } });
        var replies = new[] { asker.Transport.RequestAsync("{}"), asker.Transport.RequestAsync("{}") };

        var error = await Should.ThrowAsync<TransportException>(asker.Transport.RequestAsync("{}").Soon());
        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.TooManyRequests, DeliveryStatus.NotSent));

        await asker.SentAsync(1);
        asker.Connection.SayPlain(Reply(asker.Sent[0]));
        await replies[0].Soon();
        var third = asker.Transport.RequestAsync("{}");
        await asker.AnswerAsync(2, "", Reply(asker.Sent[1]));
        await Task.WhenAll(replies[1], third).Soon();
    }

    [Fact]
    public async Task Of_the_requests_that_are_over_only_so_many_are_remembered()
    {
        await using var asker = new Asker();
        for (var (asked, more) = (0, 1); asked < 1030; asked += more, more = 100)
        {
            var replies = Enumerable.Range(0, more).Select(_ => asker.Transport.RequestAsync("{}")).ToArray();
            await asker.SentAsync(asked + more - 1);
            asker.Connection.SayPlain([.. asker.Sent.Skip(asked).Select(static request => Reply(request))]);
            await Task.WhenAll(replies).Soon();
        }

        asker.Connection.SayPlain(Reply(asker.Sent[^1]), Reply(asker.Sent[0]));

        (await asker.Transport.ReadAllAsync().TextsAsync(1).Soon()).ShouldBe([Reply(asker.Sent[0])]);
        asker.Metrics.LateReplies.ShouldBe(1);
    }

    [Fact]
    public async Task A_send_that_fails_is_the_requests_end()
    {
        await using var asker = new Asker();
        asker.OnSend = static _ =>
            throw new TransportException(TransportErrorCode.SendRejected, "No.") { Delivery = DeliveryStatus.NotSent };

        var error = await Should.ThrowAsync<TransportException>(asker.Transport.RequestAsync("{}").Soon());

        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.SendRejected, DeliveryStatus.NotSent));
        asker.OnSend = static _ => throw new NotSupportedException();
        await Should.ThrowAsync<NotSupportedException>(asker.Transport.RequestAsync("{}").Soon());
        asker.Metrics.OutstandingRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_reply_that_comes_before_the_send_is_confirmed_is_a_reply()
    {
        var confirm = new TaskCompletionSource<SendOutcome>();
        await using var asker = new Asker();
        asker.OnSend = _ => new ValueTask<SendOutcome>(confirm.Task);
        var replies = asker.Transport.RequestStreamAsync("{}").TextsAsync();
        await Patience.Until(() => asker.Sent.Count == 1, "it is being sent");
        asker.Connection.SayPlain(Reply(asker.Sent[0], "\"n\":1"));
        await Patience.Until(() => asker.Metrics.MessagesReceived == 1, "it was answered");

        confirm.SetException(new TransportException(TransportErrorCode.SendRejected, "No."));
        await Patience.Until(() => confirm.Task.IsCompleted, "the send failed");
        asker.Connection.SayPlain(Reply(asker.Sent[0], "\"done\":true"));

        (await replies.Soon()).Count.ShouldBe(1);
    }
}
