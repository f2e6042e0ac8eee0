using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Perennial.AspNetCore.Tests.WebSockets;

/// <summary>Applications test themselves with TestServer, which has no connections and makes WebSockets of its own.</summary>
public class TestServerTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_is_read_over_a_WebSocket_under_TestServer(bool usesWebSockets)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Services.AddPerennialServer();
        await using var app = builder.Build();
        if (usesWebSockets)
        {
            app.UseWebSockets();
        }

        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(TestEnds);
        var run = await app.Services.GetRequiredService<StreamRuns>().StartAsync(
            async (writer, stop) => await writer.WriteAsync("one", cancellationToken: stop));
        var client = app.GetTestServer().CreateWebSocketClient();
        client.ConfigureRequest = request => request.Headers.SecWebSocketProtocol = "perennial.v1";

        using var socket = await client.ConnectAsync(new Uri(app.GetTestServer().BaseAddress, RunServer.PathOf(run)), TestEnds);

        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer.AsMemory(), TestEnds) is { MessageType: WebSocketMessageType.Text } received)
        {
            text.Append(Encoding.UTF8.GetString(buffer.AsSpan(0, received.Count)));
        }

        text.ToString().ShouldContain("\"data\":\"one\"");
        text.ToString().ShouldContain("perennial.completed");
        (await app.GetTestClient().GetStringAsync(new Uri(RunServer.PathOf(run), UriKind.Relative), TestEnds)).ShouldContain("data: one\n");
    }
}
