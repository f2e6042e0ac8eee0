namespace Perennial.Tests.WebSockets;

/// <summary>The ws package on Node as the peer, with and without compression.</summary>
public class NodeTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Messages_of_any_size_and_kind_come_back(bool clientOffers, bool serverAccepts)
    {
        if (NodeServer.WhyNot is { } reason)
        {
            Assert.Skip(reason);
        }

        await using var server = await NodeServer.StartAsync(serverAccepts);
        await using var probe =
            Sockets.Probe(Sockets.OptionsFor(server.Address) with { Compression = clientOffers, SubProtocols = ["other", "echo"] });

        await KestrelTests.EchoesAsync(probe);
    }
}
