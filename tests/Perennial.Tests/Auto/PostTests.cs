using Perennial.Auto;
using Perennial.Http;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.BodyScripts;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Auto;

/// <summary>A request with side effects is made once, whatever protocol answers it.</summary>
public class PostTests
{
    private static readonly Func<AutoTransportOptions, AutoTransportOptions> Prompt = static options =>
        options with { Body = RequestBody.Text("a prompt") };

    [Theory]
    [InlineData(true, AutoProtocol.Sse)]
    [InlineData(false, AutoProtocol.HttpStream)]
    public async Task Where_only_POST_is_allowed_the_server_chooses_the_form(bool isSse, AutoProtocol protocol)
    {
        await using var server = ScriptedServer.Start(exchange => exchange.Request.Method is not "POST" ? exchange.RespondAsync(405)
            : isSse ? Stream(Events(1))(exchange)
            : Lines("{\"n\":1}\n")(exchange));
        await using var auto = new AutoProbe(server, Prompt);

        (await auto.Probe.ReadTextsAsync()).Count.ShouldBe(1);

        auto.Transport.Protocol.ShouldBe(protocol);
        auto.Transport.FailedProtocols.ShouldBeEmpty();
        var request = server.Requests.ShouldHaveSingleItem();
        (request.Method, request.Text, request.Header("Accept")).ShouldBe(
            ("POST", "a prompt", "text/event-stream, application/x-ndjson;q=0.9"));
    }

    [Fact]
    public async Task A_POST_takes_the_time_it_needs()
    {
        var time = new ManualTimeProvider();
        var answer = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await answer.Task;
            await Stream(Events(1))(exchange);
        });
        await using var auto = new AutoProbe(server, Prompt, time);
        var reading = auto.Probe.ReadTextsAsync();
        await server.WaitForRequestsAsync(1, auto.Probe.Token);

        time.Advance(TimeSpan.FromSeconds(29));
        answer.SetResult();

        (await reading).ShouldBe(["1"]);
        server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("reset")]
    [InlineData("html")]
    [InlineData("cut")]
    public async Task A_POST_that_may_have_acted_is_not_made_again(string what)
    {
        await using var server = ScriptedServer.Start(what switch
        {
            "reset" => ResetUnanswered,
            "html" => Answer("<p>", "text/html"),
            _ => Stream("", Ending.Reset),
        });
        await using var auto = new AutoProbe(server, Prompt);

        var (_, error) = await auto.Probe.ReadToFailureAsync();

        error.Code.ShouldBe(what is "html" ? TransportErrorCode.UnexpectedContentType : TransportErrorCode.Interrupted);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_stream_that_a_POST_started_and_a_proxy_holds_back_is_read_by_GET_in_another_form()
    {
        var time = new ManualTimeProvider();
        using var http = new ReadWatch();
        await using var server =
            ScriptedServer.Start(static exchange => (exchange.Request.Method, FormServer.FormOf(exchange.Request)) switch
        {
            ("POST", _) => Stream("", Ending.Silence, SpeaksPerennial, ("Content-Location", "/runs/1"))(exchange),
            (_, "lines") => exchange.RespondAsync(406),
            (_, "poll") => Answer(
                """[{"id":"e-1","data":"1"},{"type":"perennial.completed","data":"[DONE]"}]""", "application/json", SpeaksPerennial)(exchange),
            _ => exchange.RespondAsync(500),
        });
        await using var auto = new AutoProbe(server, Prompt, time, http: http);
        var reading = auto.Probe.ReadTextsAsync();

        await http.WaitForNextAsync(auto.Probe.Token);
        time.Advance(TimeSpan.FromSeconds(5));

        (await reading).ShouldBe(["1"]);
        server.Requests.Select(static request => $"{request.Method} {request.Target} {FormServer.FormOf(request)}")
            .ShouldBe(["POST / stream", "GET /runs/1 lines", "GET /runs/1 poll"]);
        auto.LoggedReasons.ShouldBe(["Sse Silent", "HttpStream Refused"]);
    }

    [Fact]
    public async Task Messages_are_posted_whichever_form_is_read()
    {
        await using var server = new FormServer { Stream = Stream(Events(1), Ending.Silence), Poll = Answer("ok") }.Start();
        await using var posts = ScriptedServer.Start(Status(202));
        await using var auto = new AutoProbe(server, options => options with { SendEndpoint = posts.Address });

        (await auto.Transport.SendAsync("hello", auto.Probe.Token)).ShouldBe(SendOutcome.Acknowledged);

        posts.Requests.ShouldHaveSingleItem().Text.ShouldBe("hello");
    }
}
