using System.Net;
using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Requests;

/// <summary>The password in a proxy's URL stays there.</summary>
public class ProxyCredentialsTests
{
    [Theory]
    [InlineData(404)]
    [InlineData(407)]
    [InlineData(502)]
    public async Task A_proxy_that_refuses_a_tunnel_does_not_give_its_password_away(int status)
    {
        await using var proxy = ScriptedServer.Start(exchange => Status(status)(exchange));
        var log = new LogSink();
        await using var probe = new TransportProbe(
            new SseTransportOptions
            {
                Endpoint = new Uri("https://example.com/stream"),
                Http = new HttpConnectionOptions { Proxy = new WebProxy($"http://user:PASSWORD@127.0.0.1:{proxy.Address.Port}") },
                Reconnect = TransportProbe.AtOnce with { MaxAttempts = 1 },
            },
            new TransportServices { LoggerFactory = log });

        var (_, error) = await probe.ReadToFailureAsync();

        error.Code.ShouldBe(TransportErrorCode.AttemptsExhausted);
        error.Message.ShouldContain("The proxy cannot connect to example.com:443");
        error.ToString().ShouldNotContain("PASSWORD");
        log.Lines.ShouldAllBe(line => !$"{line.Text} {line.Exception}".Contains("PASSWORD"));
        probe.All<ErrorEvent>().ShouldAllBe(happened => !happened.Exception.ToString().Contains("PASSWORD"));
        probe.Transport.GetMetrics().LastError!.ToString().ShouldNotContain("PASSWORD");
    }
}
