using Microsoft.AspNetCore.Builder;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>A run that failed never ends cleanly towards a reader that may not know how Perennial says so.</summary>
public class FailedRunTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("text/event-stream", "event: perennial.failed\n")]
    [InlineData("application/x-ndjson", "\"type\":\"perennial.failed\"")]
    public async Task A_failed_run_breaks_off_after_the_event_that_says_so(string accept, string said)
    {
        await using var server = await RunServer.StartAsync(map: Map);

        foreach (var method in new[] { HttpMethod.Post, HttpMethod.Get })
        {
            using var request = new HttpRequestMessage(method, "/chat");
            request.Headers.Add("Accept", accept);
            using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);
            (await RawBody.ReadAsync(response)).ShouldSatisfyAllConditions(
                read => read.Text.ShouldContain(said),
                read => read.IsWhole.ShouldBeFalse());
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_reader_that_announces_that_it_knows_Perennial_gets_a_clean_end()
    {
        await using var server = await RunServer.StartAsync(map: Map);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/chat");
        request.Headers.Add("Perennial-Protocol", "1");

        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);

        var read = await RawBody.ReadAsync(response);
        read.Text.ShouldContain("event: perennial.failed\n");
        read.IsWhole.ShouldBeTrue();
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(ReaderForm.Sse)]
    [InlineData(ReaderForm.JsonLines)]
    [InlineData(ReaderForm.LongPoll)]
    public async Task The_client_library_announces_that_it_knows_Perennial(ReaderForm form)
    {
        var announced = new List<string>();
        await using var server = await RunServer.StartAsync(map: app =>
        {
            app.Use((context, next) =>
            {
                announced.Add(context.Request.Headers["Perennial-Protocol"].ToString());
                return next(context);
            });
            Map(app);
        });
        await using var transport = form.NewTransport(new Uri(server.Address, "/chat"));

        var error = await Should.ThrowAsync<TransportException>(async () =>
        {
            await foreach (var _ in transport.ReadAllAsync(TestEnds))
            {
            }
        });

        error.ServerCode.ShouldBe("busy");
        announced.ShouldNotBeEmpty();
        announced.ShouldAllBe(value => value == "1");
    }

    private static void Map(WebApplication app) => app.MapMethods(
        "/chat", ["GET", "POST"], (StreamRuns runs) => runs.Start((_, _) => throw new RunFailedException("The model is busy.", "busy")));
}
