using Perennial.Testing;
using Perennial.Transports.Tests.Harnesses;
using Perennial.Transports.Tests.Lines;

namespace Perennial.Transports.Tests.Suite;

public sealed class SseTests : TransportSuite<SseHarness>;

public sealed class HttpStreamTests : TransportSuite<HttpStreamHarness>;

public sealed class LongPollTests : TransportSuite<LongPollHarness>;

public sealed class WebSocketTests : TransportSuite<WebSocketHarness>;

public sealed class PlainWebSocketTests : TransportSuite<PlainWebSocketHarness>;

public sealed class ByteStreamTests : TransportSuite<ByteStreamHarness>;

public sealed class AutoTests : TransportSuite<AutoHarness>;

public sealed class InMemoryTests : TransportSuite<InMemoryHarness>;

public sealed class UnnumberedInMemoryTests : TransportSuite<UnnumberedInMemoryHarness>;

/// <summary>The sample of docs/transports.md.</summary>
public sealed class LineTests : TransportSuite<LineHarness>
{
    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\n")]
    [InlineData("hello 1000\nevent 1 !\n")]
    [InlineData("hello 1000\nack many\n")]
    [InlineData("hello 1000\nnews\n")]
    public async Task A_server_of_another_protocol_is_a_final_error(string said)
    {
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.WriteAsync(said);
            await connection.WaitForClientCloseAsync(connection.Stopping);
        });
        await using var transport = new LineTransport(
            new LineTransportOptions { Endpoint = new UriBuilder(server.Address) { Scheme = "tcp" }.Uri });
        _ = transport.ConnectAsync(TestContext.Current.CancellationToken);

        var end =
            await transport.Completion.WaitAsync(new LineHarness().Patience, TimeProvider.System, TestContext.Current.CancellationToken);

        end.Error?.Code.ShouldBe(TransportErrorCode.ProtocolViolation);
    }
}
