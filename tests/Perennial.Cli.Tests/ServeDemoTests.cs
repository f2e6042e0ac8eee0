using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Perennial.Cli.Tests;

/// <summary>
/// <c>perennial serve --demo</c>: what the page is served with. The page itself is tested in a browser, with the TypeScript client.
/// </summary>
public sealed class ServeDemoTests : IAsyncLifetime
{
    private readonly Cli _cli = Cli.Start("serve", "--demo", "--url", "http://127.0.0.1:0");
    private readonly HttpClient _client = new();

    public async ValueTask InitializeAsync()
    {
        var line = await _cli.ReadUntilAsync("http://");
        _client.BaseAddress = new Uri(line[line.IndexOf("http://", StringComparison.Ordinal)..]);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _cli.DisposeAsync();
    }

    [Theory(Timeout = Cli.Hang)]
    [InlineData("", "text/html", "demo.js")]
    [InlineData("demo.js", "text/javascript", "streams")]
    [InlineData("demo.css", "text/css", "prefers-reduced-motion")]
    public async Task Serves_the_page_from_the_program_itself(string path, string type, string content)
    {
        using var response = await SendAsync(HttpMethod.Get, path);

        response.Content.Headers.ContentType!.MediaType.ShouldBe(type);
        response.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("default-src 'none'");
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain(content);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Lets_pages_of_its_own_alone_read_over_a_line()
    {
        var own = _client.BaseAddress!.GetLeftPart(UriPartial.Authority);
        var line = await PostAsync("demo/lines");
        var run = (await PostAsync("demo/answers", """{"text":"What does it guarantee?"}""")).GetProperty("run").GetString();
        foreach (var name in new[] { "plain", "buffered" })
        {
            var stream = $"{line.GetProperty(name).GetString()}/streams/{run}";

            using var welcome = await SendAsync(HttpMethod.Head, stream, ("Origin", own));
            using var foreign = await SendAsync(HttpMethod.Head, stream, ("Origin", "https://example.com"));
            using var unnamed = await SendAsync(HttpMethod.Head, stream);
            using var control = await SendAsync(HttpMethod.Get, new Uri(new Uri(stream), "/").AbsoluteUri, ("Origin", own));

            welcome.StatusCode.ShouldBe(HttpStatusCode.OK);
            welcome.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe([own]);
            foreign.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            foreign.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
            unnamed.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            control.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        }
    }

    [Theory(Timeout = Cli.Hang)]
    [InlineData("demo/lines", null, 403)]
    [InlineData("demo/answers", """{"text":"x"}""", 403)]
    [InlineData("demo/answers", "{", 400, "")]
    [InlineData("demo/answers", """{"text":" "}""", 400, "")]
    [InlineData("demo/lines/nobody/cut", null, 404, "")]
    public async Task Refuses_what_the_page_would_not_ask(string path, string? body, int status, string origin = "https://example.com")
    {
        using var response = await SendAsync(HttpMethod.Post, path, body, origin.Length > 0 ? [("Origin", origin)] : []);

        ((int)response.StatusCode).ShouldBe(status);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Keeps_no_more_lines_than_there_is_room_for()
    {
        var first = (await PostAsync("demo/lines")).GetProperty("line").GetString();
        for (var others = 0; others < 32; others++)
        {
            await PostAsync("demo/lines");
        }

        using var response = await SendAsync(HttpMethod.Post, $"demo/lines/{first}/cut");

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private async Task<JsonElement> PostAsync(string path, string? body = null)
    {
        using var response = await SendAsync(HttpMethod.Post, path, body);
        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        return await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers) =>
        SendAsync(method, path, body: null, headers);

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body) };
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await _client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
