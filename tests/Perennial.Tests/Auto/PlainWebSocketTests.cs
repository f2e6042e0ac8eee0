using Perennial.Auto;
using Perennial.Testing;
using Perennial.Tests.WebSockets;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Auto;

/// <summary>A server that accepts a WebSocket at every path has not said that the stream is there.</summary>
public class PlainWebSocketTests
{
    private static readonly (string Name, string Value) EchoedProtocol = ("Sec-WebSocket-Protocol", "perennial.v1");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_WebSocket_without_perennial_v1_is_passed_over(bool echoesTheFirstProtocol)
    {
        await using var server = Start(echoesTheFirstProtocol, Stream(Events(1, 2)));
        await using var auto = new AutoProbe(server, static options => options with { WebSocket = new() });

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        auto.Transport.Protocol.ShouldBe(AutoProtocol.Sse);
        auto.Reasons.ShouldBe([(AutoProtocol.WebSocket, FallbackReason.NotSpoken)]);
        auto.Transport.FailedProtocols[0].Error.Message.ShouldContain("AllowPlain");
    }

    [Fact]
    public async Task What_the_URL_answers_is_the_answer()
    {
        await using var server = Start(echoesTheFirstProtocol: true, Status(401));
        await using var auto = new AutoProbe(server, static options => options with { WebSocket = new() });

        var (_, error) = await auto.Probe.ReadToFailureAsync();

        ((int?)error.HttpStatus).ShouldBe(401);
    }

    [Fact]
    public async Task A_plain_WebSocket_is_read_on_request()
    {
        await using var server = new FormServer { WebSocket = ServerSocket.Sends(Frame.OfText("a"), Frame.Close(1000)) }.Start();
        await using var auto =
            new AutoProbe(server, static options => options with { WebSocket = new() { AllowPlain = true, UsePerennialProtocol = false } });

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["a"]);
    }

    [Fact]
    public void Options_that_no_WebSocket_can_meet_are_refused()
    {
        var options =
            new AutoTransportOptions { Endpoint = new Uri("https://example.com/"), WebSocket = new() { UsePerennialProtocol = false } };

        Should.Throw<ArgumentException>(options.Validate).Message.ShouldContain("AllowPlain");
        (options with { Order = [AutoProtocol.Sse] }).Validate();
    }

    private static ScriptedServer Start(bool echoesTheFirstProtocol, Func<ScriptedExchange, Task> stream) => new FormServer
    {
        WebSocket = ServerSocket.Script(static socket => socket.WaitForClientCloseAsync(), echoesTheFirstProtocol ? [EchoedProtocol] : []),
        Stream = stream,
    }.Start();
}
