using System.Globalization;
using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Requests;

/// <summary>The callback that completes each request, and the one forced renewal of credentials after a 401.</summary>
public class ConfigureRequestTests
{
    [Fact]
    public async Task Is_called_once_for_every_attempt()
    {
        var tokens = 0;
        await using var server = ScriptedServer.Start(Status(503), Stream(Events(1), Ending.Reset), Stream(Events(2)));
        await using var probe = For(server, (request, _) =>
        {
            request.Headers.Authorization = new("Bearer", (++tokens).ToString(CultureInfo.InvariantCulture));
            return ValueTask.CompletedTask;
        });

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        server.Requests.Select(request => request.Header("Authorization")).ShouldBe(["Bearer 1", "Bearer 2", "Bearer 3"]);
    }

    [Fact]
    public async Task After_a_401_it_is_told_to_renew_credentials_and_the_request_is_made_once_more()
    {
        await using var server = ScriptedServer.Start(Status(401), Stream(Events(1)));
        await using var probe = For(server, Authorize);

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        server.Requests.Select(request => request.Header("Authorization")).ShouldBe(["Bearer cached", "Bearer fresh"]);
        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_second_401_in_a_row_is_final()
    {
        await using var server = ScriptedServer.Start(Status(401));
        await using var probe = For(server, Authorize);

        ((int?)(await probe.ReadToFailureAsync()).Error.HttpStatus).ShouldBe(401);

        server.Requests.Select(request => request.Header("Authorization")).ShouldBe(["Bearer cached", "Bearer fresh"]);
    }

    [Fact]
    public async Task Each_connection_has_its_own_renewal()
    {
        await using var server = ScriptedServer.Start(Status(401), Stream(Events(1), Ending.Reset), Status(401), Stream(Events(2)));
        await using var probe = For(server, Authorize);

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        server.Requests.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_403_renews_nothing()
    {
        await using var server = ScriptedServer.Start(Status(403));
        await using var probe = For(server, Authorize);

        await probe.ReadToFailureAsync();

        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_it_throws_ends_the_stream()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1)));
        await using var probe = For(server, (_, _) => throw new InvalidOperationException("not logged in"));

        var (_, error) = await probe.ReadToFailureAsync();

        (error.Code, error.IsTransient).ShouldBe((TransportErrorCode.Unexpected, false));
        error.InnerException.ShouldBeOfType<InvalidOperationException>();
        server.Connections.ShouldBe(0);
    }

    public static TheoryData<Type> PassingTroubles =>
        [typeof(HttpRequestException), typeof(IOException), typeof(TimeoutException), typeof(TaskCanceledException)];

    [Theory]
    [MemberData(nameof(PassingTroubles), DisableDiscoveryEnumeration = true)]
    public async Task A_token_server_in_passing_trouble_counts_as_a_failed_attempt(Type trouble)
    {
        var calls = 0;
        await using var server = ScriptedServer.Start(Stream(Events(1)));
        await using var probe =
            For(server, (_, _) => calls++ == 0 ? throw (Exception)Activator.CreateInstance(trouble)! : ValueTask.CompletedTask);

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.ConnectFailed);
    }

    [Fact]
    public async Task One_that_never_returns_does_not_hold_up_a_close()
    {
        var isCalled = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(Stream(Events(1)));
        await using var probe = For(server, async (_, _) =>
        {
            isCalled.SetResult();
            await new TaskCompletionSource().Task;
        });
        var connecting = probe.Transport.ConnectAsync(probe.Token);
        await isCalled.Task.WaitAsync(probe.Token);

        await probe.Transport.CloseAsync(probe.Token);

        await Should.ThrowAsync<TransportException>(connecting);
        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Closed);
    }

    private static ValueTask Authorize(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var isRejected = request.Options.TryGetValue(HttpTransportOptions.CredentialsRejected, out var value) && value;
        request.Headers.Authorization = new("Bearer", isRejected ? "fresh" : "cached");
        return ValueTask.CompletedTask;
    }

    private static TransportProbe For(ScriptedServer server, Func<HttpRequestMessage, CancellationToken, ValueTask> configure) =>
        new(new SseTransportOptions { Endpoint = server.Address, ConfigureRequest = configure, Reconnect = TransportProbe.AtOnce });
}
