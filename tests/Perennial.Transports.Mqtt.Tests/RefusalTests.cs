using System.Diagnostics;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Transports.Mqtt.Tests.Support;

namespace Perennial.Transports.Mqtt.Tests;

/// <summary>Servers that refuse, speak another protocol or send nonsense: the right error, and never a hang.</summary>
public sealed class RefusalTests
{
    private const string Welcome = "2003000000";            // CONNACK without properties
    private const string Subscribed = "900400010001";       // SUBACK of packet 1, QoS 1

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(MqttVersion.V5, null, "NotAuthorized")]
    [InlineData(MqttVersion.V5, "reader:wrong", "NotAuthorized")]
    [InlineData(MqttVersion.V311, "reader:wrong", "NotAuthorized")]
    [InlineData(MqttVersion.V5, "reader:right", null)]
    [InlineData(MqttVersion.V311, "reader:right", null)]
    public async Task Refused_credentials_are_a_final_error(MqttVersion version, string? userInfo, string? refusal)
    {
        MosquittoServer.Require(MosquittoServer.Program);
        await using var server = new MosquittoServer("allow_anonymous false");
        var file = Path.Combine(server.DataFolder, "passwords");
        await File.WriteAllTextAsync(file, "reader:right\n", Token);
        using (var hashing = Process.Start("mosquitto_passwd", ["-U", file]))
        {
            await hashing.WaitForExitAsync(Token);
        }

        server.More.Add($"password_file {file}");
        await server.StartAsync(Token);
        var endpoint = new Uri($"mqtt://{userInfo}{(userInfo is null ? "" : "@")}127.0.0.1:{server.Port}/news");
        await using var transport = new MqttTransport(new MqttTransportOptions { Endpoint = endpoint, Version = version });

        var connecting = transport.ConnectAsync(Token).Soon();

        if (refusal is null)
        {
            await connecting;
            return;
        }

        var error = await connecting.ShouldThrowAsync<TransportException>();
        error.IsTransient.ShouldBeFalse();
        error.ServerCode.ShouldBe(refusal);
        error.ToString().ShouldNotContain("wrong");
        transport.GetMetrics().ReconnectAttempts.ShouldBe(0);
    }

    [Theory]
    [InlineData("2003008800", true, "ServerUnavailable")]
    [InlineData("2003008900", true, "ServerBusy")]
    [InlineData("2003008600", false, "BadUserNameOrPassword")]
    [InlineData("2003008500", false, "ClientIdentifierNotValid")]
    [InlineData("2003008400", false, "UnsupportedProtocolVersion")]
    [InlineData("2003009D00", false, "ServerMoved")]
    [InlineData(Welcome + "900400010087", false, "NotAuthorized")]
    [InlineData(Welcome + "900400010097", true, "QuotaExceeded")]
    [InlineData(Welcome + "E0028B00", true, "ServerShuttingDown")]
    [InlineData(Welcome + "E0028200", false, "ProtocolError")]
    [InlineData(Welcome + Subscribed + "E0028E00", false, "SessionTakenOver")]
    public async Task A_reason_code_decides_whether_another_attempt_follows(string answer, bool isTransient, string code)
    {
        var error = await FirstErrorAsync(answer);

        error.IsTransient.ShouldBe(isTransient);
        error.ServerCode.ShouldBe(code);
    }

    [Theory]
    [InlineData("485454502F312E3120343030")]                // HTTP/1.1 400
    [InlineData("1603010200")]                              // TLS
    [InlineData("30050001610000")]                          // PUBLISH before CONNACK
    [InlineData("20FFFFFFFF7F")]                            // a length of five bytes
    [InlineData("200300")]                                  // the rest never comes, and the connection ends
    [InlineData(Welcome + Subscribed + "F0")]               // AUTH, which nobody asked for
    [InlineData(Welcome + Subscribed + "3003FFFF61")]       // a topic longer than the packet
    [InlineData(Welcome + Subscribed + "320400016100")]     // QoS 1 without a whole packet id
    [InlineData(Welcome + Subscribed + "3000")]             // an empty PUBLISH
    public async Task A_server_of_another_protocol_is_an_error(string answer)
    {
        var error = await FirstErrorAsync(answer);

        error.Code.ShouldBeOneOf(answer is "200300" ? TransportErrorCode.ConnectionLost : TransportErrorCode.ProtocolViolation);
        error.IsTransient.ShouldBe(answer is "200300");
    }

    [Fact]
    public async Task A_packet_that_announces_too_much_is_refused_before_it_arrives()
    {
        var error = await FirstErrorAsync(Welcome + Subscribed + "30FFFFFF7F");     // 256 MiB

        error.Code.ShouldBe(TransportErrorCode.MessageTooLarge);
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_given_up()
    {
        await using var server = ScriptedServer.StartRaw(static connection => connection.WaitForClientCloseAsync(connection.Stopping));
        await using var transport = new MqttTransport(new MqttTransportOptions
        {
            Endpoint = AddressOf(server),
            ConnectTimeout = TimeSpan.FromMilliseconds(50),
            Reconnect = new ReconnectOptions { Enabled = false },
        });

        var error = await transport.ConnectAsync(Token).Soon().ShouldThrowAsync<TransportException>();

        error.Code.ShouldBe(TransportErrorCode.ConnectTimeout);
    }

    private static async Task<TransportException> FirstErrorAsync(string answer)
    {
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.Stream.ReadExactlyAsync(new byte[2], connection.Stopping);
            await connection.WriteAsync(Convert.FromHexString(answer));
            if (answer is not "200300")
            {
                await connection.WaitForClientCloseAsync(connection.Stopping);
            }
        });
        await using var transport = new MqttTransport(new MqttTransportOptions
        {
            Endpoint = AddressOf(server),
            Reconnect = new ReconnectOptions { Enabled = false },
        });
        _ = transport.ConnectAsync(Token).ContinueWith(static task => task.Exception, TaskScheduler.Default);
        var end = await transport.Completion.Soon();
        return end.Error.ShouldNotBeNull();
    }

    private static Uri AddressOf(ScriptedServer server) => new UriBuilder(server.Address) { Scheme = "mqtt", Path = "news" }.Uri;
}
