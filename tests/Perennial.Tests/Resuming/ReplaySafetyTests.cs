using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Resuming;

/// <summary>A request with side effects is sent once, unless it certainly did nothing or the caller allowed more.</summary>
public class ReplaySafetyTests
{
    private const string Unnumbered = "data: a\n\ndata: b\n\n";

    [Theory]
    [InlineData(nameof(Ending.Reset), Unnumbered)]
    [InlineData(nameof(Ending.Closed), Unnumbered)]
    [InlineData(nameof(Ending.Reset), "id: 1\ndata: a\n\nid: 2\ndata: b\n\n")]
    public async Task A_post_that_breaks_off_ends_as_interrupted_and_is_not_sent_again(string ending, string body)
    {
        await using var server = ScriptedServer.Start(Stream(body, Enum.Parse<Ending>(ending)));
        await using var probe = new TransportProbe(Post(server));

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBe(["a", "b"]);
        error.Code.ShouldBe(TransportErrorCode.Interrupted);
        (await probe.Transport.Completion).ShouldBe(new StreamEnd { Reason = StreamEndReason.Interrupted, Error = error });
        probe.Transport.State.ShouldBe(TransportState.Failed);
        server.Requests.ShouldHaveSingleItem().Text.ShouldBe("hello");
        probe.All<ReconnectingEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_post_that_ends_before_its_marker_is_interrupted()
    {
        await using var server = ScriptedServer.Start(Stream(Unnumbered));
        await using var probe = new TransportProbe(Post(server) with { EndOfStream = EndOfStreamPolicy.RequireMarker });

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.Interrupted);

        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_post_whose_answer_names_its_resource_goes_on_there_by_get()
    {
        await using var server = ScriptedServer.Start(
            Stream(Events(1), Ending.Reset, ("Content-Location", "/streams/7?a=b")),
            ResetUnanswered,
            Stream(Events(2), Ending.Closed, ("Content-Location", "/elsewhere")),
            Stream(Events(3)));
        await using var probe = new TransportProbe(Post(server));

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2", "3"]);

        server.Requests.Select(request => (request.Method, request.Target, request.Text, request.Header("Last-Event-ID"))).ShouldBe(
        [
            ("POST", "/", "hello", null),
            ("GET", "/streams/7?a=b", "", "1"),
            ("GET", "/streams/7?a=b", "", "1"),
            ("GET", "/streams/7?a=b", "", "2"),
        ]);
    }

    [Fact]
    public async Task A_resource_at_another_origin_is_not_followed()
    {
        await using var other = ScriptedServer.Start(Stream(Events(2)));
        await using var server = ScriptedServer.Start(Stream(Events(1), Ending.Reset, ("Content-Location", $"{other.Address}streams/7")));
        await using var probe = new TransportProbe(Post(server));

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.Interrupted);

        other.Connections.ShouldBe(0);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_resource_named_at_the_far_end_of_a_redirect_gets_no_credentials()
    {
        await using var other =
            ScriptedServer.Start(Stream(Events(1), Ending.Reset, ("Content-Location", "/streams/7")), Stream(Events(2)));
        await using var server = ScriptedServer.Start(Status(307, ("Location", other.Address.AbsoluteUri)));
        await using var probe = new TransportProbe(Post(server) with
        {
            ConfigureRequest = (request, _) =>
            {
                request.Headers.Authorization = new("Bearer", "secret");
                return ValueTask.CompletedTask;
            },
        });

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.Interrupted);

        other.Requests.ShouldHaveSingleItem().Header("Authorization").ShouldBeNull();
    }

    [Fact]
    public async Task Where_replay_is_allowed_a_numbered_post_is_repeated_from_its_last_id()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1, 2), Ending.Reset), Stream(Events(3)));
        await using var probe = new TransportProbe(Post(server) with { AllowReplay = true });

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2", "3"]);

        server.Requests.Select(request => (request.Method, request.Text, request.Header("Last-Event-ID")))
            .ShouldBe([("POST", "hello", null), ("POST", "hello", "2")]);
    }

    [Theory]
    [InlineData(Unnumbered)]
    [InlineData(Unnumbered + "id: 3\ndata: half")]
    public async Task Even_where_replay_is_allowed_a_post_without_ids_is_not_repeated_after_messages(string body)
    {
        await using var server = ScriptedServer.Start(Stream(body, Ending.Reset));
        await using var probe = new TransportProbe(Post(server) with { AllowReplay = true });

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.Interrupted);

        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Where_replay_is_allowed_a_post_without_ids_is_repeated_before_messages()
    {
        await using var server = ScriptedServer.Start(Stream("data: half", Ending.Reset), Stream(Unnumbered));
        await using var probe = new TransportProbe(Post(server) with { AllowReplay = true });

        (await probe.ReadTextsAsync()).ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task A_post_that_was_refused_a_connection_is_repeated()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(Stream(Unnumbered));
        await using var proxy = FaultProxy.Start(server.Address);
        proxy.Refusing = true;
        await using var probe = new TransportProbe(
            Post(server) with { Endpoint = proxy.Address, Reconnect = TransportProbe.WithoutJitter },
            new TransportServices { Time = clock });
        var reading = probe.ReadTextsAsync();

        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.ConnectFailed);
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(1), probe.Token);
        proxy.Refusing = false;
        clock.Advance(TimeSpan.FromSeconds(1));

        (await reading).ShouldBe(["a", "b"]);
        server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_post_without_an_answer_in_time_is_repeated_only_where_that_is_allowed(bool allowReplay)
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(NeverAnswer, Stream(Unnumbered));
        await using var probe = new TransportProbe(Post(server) with { AllowReplay = allowReplay }, new TransportServices { Time = clock });
        var connecting = probe.Transport.ConnectAsync(probe.Token);
        await server.WaitForRequestsAsync(1, probe.Token);

        clock.Advance(TimeSpan.FromSeconds(30));

        await EndsAsAllowedAsync(connecting, server, allowReplay);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_post_whose_connection_dies_before_the_answer_is_repeated_only_where_that_is_allowed(bool allowReplay)
    {
        await using var server = ScriptedServer.Start(ResetUnanswered, Stream(Unnumbered));
        await using var probe = new TransportProbe(Post(server) with { AllowReplay = allowReplay });

        await EndsAsAllowedAsync(probe.Transport.ConnectAsync(probe.Token), server, allowReplay);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_post_whose_pooled_connection_dies_reaches_the_server_once(bool hasBody)
    {
        await using var server = ScriptedServer.Start(
            Stream(Events(1)),
            exchange =>
            {
                exchange.Close();
                return Task.CompletedTask;
            });
        await using var before = TransportProbe.For(server.Address);
        await before.ReadTextsAsync();
        await using var probe =
            new TransportProbe(Post(server) with { Method = HttpMethod.Post, Body = hasBody ? RequestBody.Text("hello") : null });

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.ConnectAsync(probe.Token));

        error.Code.ShouldBe(TransportErrorCode.Interrupted);
        server.Requests.Select(request => (request.Method, request.ConnectionIndex)).ShouldBe([("GET", 0), ("POST", 0)]);
    }

    [Theory]
    [InlineData(503, false, 1)]
    [InlineData(503, true, 2)]
    [InlineData(500, false, 1)]
    [InlineData(429, false, 2)]
    public async Task A_post_answered_with_an_error_is_repeated_where_it_did_nothing_or_that_is_allowed(
        int status, bool allowReplay, int requests)
    {
        await using var server = ScriptedServer.Start(Status(status), Stream(Unnumbered));
        await using var probe = new TransportProbe(Post(server) with { AllowReplay = allowReplay });

        if (requests == 1)
        {
            var (_, error) = await probe.ReadToFailureAsync();
            (error.Code, (int?)error.HttpStatus).ShouldBe((TransportErrorCode.HttpStatus, status));
        }
        else
        {
            (await probe.ReadTextsAsync()).ShouldBe(["a", "b"]);
        }

        server.Requests.Count.ShouldBe(requests);
    }

    [Fact]
    public async Task Connecting_again_after_an_interruption_does_not_send_the_post_again()
    {
        await using var server = ScriptedServer.Start(Stream(Unnumbered, Ending.Reset));
        await using var probe = new TransportProbe(Post(server));
        await probe.ReadToFailureAsync();

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.ConnectAsync(probe.Token));

        error.Code.ShouldBe(TransportErrorCode.Interrupted);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Connecting_again_after_an_interruption_sends_the_post_again_where_replay_is_allowed()
    {
        await using var server = ScriptedServer.Start(Stream(Unnumbered, Ending.Reset), Stream(Unnumbered));
        await using var probe = new TransportProbe(Post(server) with { AllowReplay = true });
        await probe.ReadToFailureAsync();

        await probe.Transport.ConnectAsync(probe.Token);

        var messages = await probe.ReadToEndAsync();
        messages.Select(message => (message.Text, message.FollowsGap)).ShouldBe([("a", true), ("b", false)]);
        server.Requests.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ShouldRetry_cannot_repeat_what_must_not_be_repeated(bool allowReplay)
    {
        await using var server = ScriptedServer.Start(Stream(Unnumbered, Ending.Reset));
        await using var probe = new TransportProbe(Post(server) with
        {
            AllowReplay = allowReplay,
            Reconnect = TransportProbe.AtOnce with { ShouldRetry = _ => true },
        });

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.Interrupted);

        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Interrupted);
        server.Requests.Count.ShouldBe(1);
        probe.All<ReconnectingEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_post_that_has_not_left_yet_is_not_interrupted()
    {
        var clock = new ManualTimeProvider();
        var isFirst = true;
        await using var server = ScriptedServer.Start(Stream(Unnumbered));
        await using var probe = new TransportProbe(
            Post(server) with
            {
                ConfigureRequest = async (_, token) =>
                {
                    if (isFirst)
                    {
                        isFirst = false;
                        await Task.Delay(Timeout.InfiniteTimeSpan, clock, token);
                    }
                },
            },
            new TransportServices { Time = clock });
        var reading = probe.ReadTextsAsync();
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(30), probe.Token);

        clock.Advance(TimeSpan.FromSeconds(30));

        (await reading).ShouldBe(["a", "b"]);
        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.ConnectTimeout);
    }

    [Fact]
    public async Task A_post_that_was_sent_elsewhere_to_see_its_stream_goes_on_there()
    {
        await using var server = ScriptedServer.Start(
            Status(303, ("Location", "/streams/7")),
            Status(503),
            Stream(Events(1), Ending.Reset),
            Stream(Events(2)));
        await using var probe = new TransportProbe(Post(server));

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        server.Requests.Select(request => (request.Method, request.Target)).ShouldBe(
            [("POST", "/"), ("GET", "/streams/7"), ("GET", "/streams/7"), ("GET", "/streams/7")]);
    }

    [Fact]
    public async Task A_post_that_was_sent_to_another_origin_to_see_its_stream_is_not_repeated_when_that_fails()
    {
        await using var other = ScriptedServer.Start(Status(404));
        var gone = other.Address;
        await other.DisposeAsync();
        await using var server = ScriptedServer.Start(Status(303, ("Location", gone.AbsoluteUri)));
        await using var probe = new TransportProbe(Post(server));

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.Interrupted);

        server.Requests.Count.ShouldBe(1);
    }

    private static SseTransportOptions Post(ScriptedServer server) => new()
    {
        Endpoint = server.Address,
        Body = RequestBody.Text("hello"),
        Reconnect = TransportProbe.AtOnce,
    };

    private static async Task EndsAsAllowedAsync(Task connecting, ScriptedServer server, bool allowReplay)
    {
        if (allowReplay)
        {
            await connecting;
        }
        else
        {
            (await Should.ThrowAsync<TransportException>(connecting)).Code.ShouldBe(TransportErrorCode.Interrupted);
        }

        server.Requests.Count.ShouldBe(allowReplay ? 2 : 1);
    }
}
