using System.Net;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Reconnecting;

/// <summary>Which errors are worth another attempt.</summary>
public class RetryDecisionTests
{
    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(410)]
    [InlineData(409)]
    [InlineData(501)]
    [InlineData(505)]
    [InlineData(519)]
    [InlineData(525)]
    [InlineData(201)]
    [InlineData(304)]
    public async Task Is_final_at_once(int status)
    {
        await using var server = ScriptedServer.Start(Status(status));
        await using var probe = TransportProbe.For(server.Address);

        var (_, error) = await probe.ReadToFailureAsync();

        (error.Code, (int?)error.HttpStatus, error.IsTransient).ShouldBe((TransportErrorCode.HttpStatus, status, false));
        probe.Transport.State.ShouldBe(TransportState.Failed);
        server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/json")]
    public async Task Another_content_type_is_final_at_once(string contentType)
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(200, Events(1), ("Content-Type", contentType)));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.UnexpectedContentType);

        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_content_type_with_parameters_in_capitals_is_accepted()
    {
        await using var server = ScriptedServer.Start(exchange =>
            exchange.RespondAsync(200, Events(1), ("Content-Type", "TEXT/Event-Stream; charset=UTF-8")));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);
    }

    [Theory]
    [InlineData(408)]
    [InlineData(425)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(520)]
    [InlineData(521)]
    [InlineData(522)]
    [InlineData(523)]
    [InlineData(524)]
    [InlineData(529)]
    [InlineData(530)]
    public async Task Is_tried_again(int status)
    {
        await using var server = ScriptedServer.Start(Status(status), Stream(Events(1)));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        var error = await probe.WaitForAsync<ErrorEvent>();
        (error.IsRecoverable, error.Attempt, (int?)error.Exception.HttpStatus).ShouldBe((true, 1, status));
    }

    [Theory]
    [InlineData(521)]
    [InlineData(503)]
    public async Task A_request_that_resumes_is_tried_again_too(int status)
    {
        await using var server = ScriptedServer.Start(Stream(Events(1), Ending.Closed), Status(status), Stream(Events(2)));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        server.Requests.Select(static request => request.Header("Last-Event-ID")).ShouldBe([null, "1", "1"]);
    }

    [Fact]
    public async Task The_statuses_worth_another_attempt_can_be_chosen()
    {
        await using var server = ScriptedServer.Start(Status(404), Status(503));
        await using var probe =
            For(server, TransportProbe.AtOnce with { RetryStatusCodes = new HashSet<HttpStatusCode> { HttpStatusCode.NotFound } });

        var (_, error) = await probe.ReadToFailureAsync();

        ((int?)error.HttpStatus).ShouldBe(503);
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task ShouldRetry_can_veto()
    {
        var asked = new List<RetryContext>();
        await using var server = ScriptedServer.Start(Status(503));
        await using var probe = For(server, TransportProbe.AtOnce with
        {
            ShouldRetry = context =>
            {
                asked.Add(context);
                return false;
            },
        });

        var (_, error) = await probe.ReadToFailureAsync();

        asked.ShouldBe([new RetryContext { Error = error, Attempt = 1, IsTransient = true }]);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task ShouldRetry_can_insist_as_long_as_there_are_attempts()
    {
        await using var server = ScriptedServer.Start(Status(404));
        await using var probe = For(server, TransportProbe.AtOnce with { ShouldRetry = _ => true, MaxAttempts = 2 });

        var (_, error) = await probe.ReadToFailureAsync();

        (error.Code, (int?)error.HttpStatus).ShouldBe((TransportErrorCode.AttemptsExhausted, 404));
        server.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_ShouldRetry_that_throws_ends_the_stream()
    {
        await using var server = ScriptedServer.Start(Status(503));
        await using var probe = For(server, TransportProbe.AtOnce with { ShouldRetry = _ => throw new InvalidOperationException("mine") });

        var (_, error) = await probe.ReadToFailureAsync();

        error.Code.ShouldBe(TransportErrorCode.Unexpected);
        error.InnerException.ShouldBeOfType<InvalidOperationException>();
    }

    [Fact]
    public async Task Where_reconnecting_is_off_the_first_loss_is_the_end()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1), Ending.Reset));
        await using var probe = For(server, new ReconnectOptions { Enabled = false });

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBe(["1"]);
        error.Code.ShouldBe(TransportErrorCode.ConnectionLost);
        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Failed);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_does_not_speak_http_is_final()
    {
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.WriteAsync("SSH-2.0-OpenSSH_9.6\r\n\r\n");
            await connection.WaitForClientCloseAsync(connection.Stopping);
        });
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.ProtocolViolation);

        server.Connections.ShouldBe(1);
    }

    private static TransportProbe For(ScriptedServer server, ReconnectOptions reconnect) =>
        new(new SseTransportOptions { Endpoint = server.Address, Reconnect = reconnect });
}
