using System.Text;

namespace Perennial.Testing.Tests;

public sealed class RecordedRequestTests
{
    [Fact(Timeout = 180_000)]
    public async Task Keeps_method_target_headers_and_body()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(200));
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(server.Address, "a/b?c=d%20e"));
        request.Content = new StringContent("grüß dich");
        request.Headers.Add("X-Twice", ["one", "two"]);
        request.Headers.Add("Last-Event-ID", "42");
        (await http.SendAsync(request, Wire.Cancelled)).Dispose();

        var recorded = (await server.WaitForRequestsAsync(1, Wire.Cancelled)).ShouldHaveSingleItem();

        recorded.Method.ShouldBe("PUT");
        recorded.Target.ShouldBe("/a/b?c=d%20e");
        recorded.Text.ShouldBe("grüß dich");
        recorded.Body.Length.ShouldBe(11);
        recorded.Header("last-event-id").ShouldBe("42");
        recorded.Header("X-TWICE").ShouldBe("one, two");
        recorded.Header("X-Never").ShouldBeNull();
        recorded.Headers["x-never"].ShouldBeEmpty();
    }

    [Fact(Timeout = 180_000)]
    public async Task Joins_a_chunked_body_and_leaves_the_next_request_alone()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(204));
        using var client = await Wire.ConnectAsync(server.Address);
        var requests =
            "POST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
            + "POST /2 HTTP/1.1\r\ncontent-length: 3\r\nA: 1\r\nA: 2\r\n\r\nabc"
            + "GET /3 HTTP/1.1\r\n\r\n";

        foreach (var value in Encoding.ASCII.GetBytes(requests))
        {
            await client.SendAsync(new[] { value });
        }

        var recorded = await server.WaitForRequestsAsync(3, Wire.Cancelled);

        recorded.Select(request => $"{request.RequestIndex} {request.Method} {request.Target} {request.Text}")
            .ShouldBe(["0 POST /1 Wiki0123456789", "1 POST /2 abc", "2 GET /3 "]);
        recorded[1].Headers["a"].ShouldBe(["1", "2"]);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_body_sent_in_chunks_by_HttpClient_arrives_whole()
    {
        var body = Wire.RandomBytes(1_000_000);
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(204));
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, server.Address) { Content = new StreamContent(new MemoryStream(body)) };
        request.Headers.TransferEncodingChunked = true;
        request.Headers.Connection.Add("close");

        (await http.SendAsync(request, Wire.Cancelled)).Dispose();

        server.Requests[0].Body.ToArray().ShouldBe(body);
        server.Requests[0].Header("Transfer-Encoding").ShouldBe("chunked");
    }

    [Fact(Timeout = 180_000)]
    public async Task A_client_that_asked_for_it_is_disconnected_after_the_response()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(200, "bye"));
        using var client = await Wire.ConnectAsync(server.Address);
        await client.SendAsync("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"u8.ToArray());

        var (received, end) = await client.ReceiveToEndAsync();

        Encoding.ASCII.GetString(received).ShouldEndWith("bye");
        end.ShouldBe(CutMode.Close);
    }

    [Theory(Timeout = 180_000)]
    [InlineData("nonsense\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nno colon\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")]
    public async Task A_client_that_breaks_HTTP_is_an_error(string request)
    {
        var server = ScriptedServer.Start(exchange => exchange.RespondAsync(200));
        using (var client = await Wire.ConnectAsync(server.Address))
        {
            await client.SendAsync(Encoding.ASCII.GetBytes(request));
            (await client.ReceiveToEndAsync()).End.ShouldBe(CutMode.Reset);
        }

        await Should.ThrowAsync<InvalidDataException>(async () => await server.DisposeAsync());
        server.Requests.ShouldBeEmpty();
    }
}
