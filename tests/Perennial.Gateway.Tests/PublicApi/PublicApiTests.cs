using Perennial.Tests.PublicApi;

namespace Perennial.Gateway.Tests;

/// <summary>The public API changes on purpose only.</summary>
public class PublicApiTests
{
    [Fact]
    public void The_api_of_the_gateway_is_the_committed_one() => CommittedApi.ShouldBeThatOf(typeof(GatewayOptions).Assembly);
}
