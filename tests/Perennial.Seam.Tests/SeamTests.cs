using System.Reflection;
using System.Runtime.CompilerServices;
using Perennial.Testing;
using Perennial.Transports.Tests.Harnesses;
using Perennial.Transports.Tests.Suite;
using Perennial.WebSockets;

namespace Perennial.Seam.Tests;

/// <summary>The WebSocket transport, compiled outside of Perennial, shows every behavior of the shipped one.</summary>
public sealed class SeamTests : TransportSuite<LinkedWebSocketHarness>
{
    [Fact]
    public void It_is_compiled_here_and_sees_public_members_only()
    {
        typeof(WebSocketTransport).Assembly.ShouldBe(Assembly.GetExecutingAssembly());
        var friends = typeof(Transport).Assembly.GetCustomAttributes<InternalsVisibleToAttribute>()
            .Concat(typeof(TransportSetup).Assembly.GetCustomAttributes<InternalsVisibleToAttribute>());
        friends.Select(static friend => friend.AssemblyName).ShouldNotContain(Assembly.GetExecutingAssembly().GetName().Name);
    }
}

public sealed class LinkedWebSocketHarness : RunHarness
{
    public override Transport CreateTransport(TransportSetup setup) =>
        new WebSocketTransport(setup.ApplyTo(new WebSocketTransportOptions { Endpoint = Address }), setup.Services);
}
