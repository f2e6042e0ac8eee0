using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>What the server has not room for is refused in a way that a client can act on.</summary>
public class LimitTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task An_endpoint_that_can_start_no_run_answers_503()
    {
        var end = new TaskCompletionSource();
        await using var server = await RunServer.StartAsync(
            options => options.MaxRuns = 1, app => app.MapPost("/chat", (StreamRuns runs) => runs.Start((_, _) => end.Task)));
        await server.Runs.StartAsync((_, _) => end.Task);

        using var response = await server.Client.PostAsync("/chat", content: null, TestEnds);

        await ShouldBeUnavailableAsync(response);
        end.SetResult();
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("Development", false)]
    [InlineData("Production", true)]
    public async Task The_platforms_own_exception_handlers_do_not_answer_500_before(string environment, bool usesHandler)
    {
        await using var server = await RunServer.StartAsync(environment: environment, map: app =>
        {
            if (usesHandler)
            {
                app.UseExceptionHandler(error => error.Run(_ => Task.CompletedTask));
            }

            app.MapPost("/chat", StreamRun (StreamRuns _) => throw new TooManyRunsException());
            app.MapPost("/broken", StreamRun (StreamRuns _) => throw new InvalidOperationException());
        });

        using var refused = await server.Client.PostAsync("/chat", content: null, TestEnds);
        using var broken = await server.Client.PostAsync("/broken", content: null, TestEnds);

        await ShouldBeUnavailableAsync(refused);
        broken.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_host_that_stops_starts_no_more_runs()
    {
        await using var server = await RunServer.StartAsync();

        await server.StopAsync();

        Should.Throw<TooManyRunsException>(() => server.Runs.Start((_, _) => Task.CompletedTask));
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(ReaderForm.Sse)]
    [InlineData(ReaderForm.JsonLines)]
    [InlineData(ReaderForm.LongPoll)]
    public async Task One_reader_too_many_is_asked_to_come_back_and_may_when_another_has_left(ReaderForm form)
    {
        await using var server = await RunServer.StartAsync(options => options.MaxReaders = 1);
        var end = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) => await end.Task);
        using var first = await server.OpenAsync(run);

        using var second = await server.OpenAsync(run, accept: form.Accept());
        await ShouldBeUnavailableAsync(second);
        end.SetResult();
        await first.Content.ReadAsStringAsync(TestEnds);

        (await server.ReadAsync(run, accept: form.Accept())).ShouldContain("perennial.completed");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_socket_takes_the_place_of_a_reader_and_is_refused_where_there_is_none()
    {
        await using var server = await RunServer.StartAsync(options => options.MaxReaders = 1);
        var run = await server.Runs.StartAsync(static (_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop));
        var address = new UriBuilder(new Uri(server.Address, $"/streams/{run.Id}")) { Scheme = Uri.UriSchemeWs }.Uri;
        using var first = new ClientWebSocket();
        await first.ConnectAsync(address, TestEnds);

        using var second = new ClientWebSocket();
        second.Options.CollectHttpResponseDetails = true;
        await Should.ThrowAsync<WebSocketException>(second.ConnectAsync(address, TestEnds));

        second.HttpStatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        using var reader = await server.OpenAsync(run);
        await ShouldBeUnavailableAsync(reader);
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("POST")]
    [InlineData("DELETE")]
    public async Task A_store_that_cannot_be_reached_is_a_503_that_tells_nothing(string method)
    {
        await using var server = await RunServer.StartAsync(store: new BrokenStore());
        using var request = new HttpRequestMessage(new HttpMethod(method), "/streams/any");

        using var response = await server.Client.SendAsync(request, TestEnds);

        await ShouldBeUnavailableAsync(response);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_that_the_store_does_not_take_is_not_started_and_is_answered_by_503()
    {
        await using var server = await RunServer.StartAsync(
            map: app => app.MapPost("/chat", (StreamRuns runs) => runs.Start((_, _) => Task.CompletedTask)), store: new BrokenStore());

        using var response = await server.Client.PostAsync("/chat", content: null, TestEnds);

        await ShouldBeUnavailableAsync(response);
        await Should.ThrowAsync<RunStoreException>(() => server.Runs.StartAsync((_, _) => Task.CompletedTask));
    }

    private static async Task ShouldBeUnavailableAsync(HttpResponseMessage response)
    {
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        WireFormatTests.Header(response, "Retry-After").ShouldBe("1");
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        if (response.RequestMessage!.Method != HttpMethod.Head)
        {
            (await response.Content.ReadFromJsonAsync<JsonElement>(TestEnds))
                .GetProperty("detail")
                .GetString()!.ShouldNotContain("hunter2");
        }
    }
}
