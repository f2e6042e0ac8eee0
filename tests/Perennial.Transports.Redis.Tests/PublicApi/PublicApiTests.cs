using Perennial.Tests.PublicApi;

namespace Perennial.Transports.Redis.Tests.PublicApi;

/// <summary>The public API changes on purpose only: it is compared to the text committed beside this file.</summary>
public class PublicApiTests
{
    [Fact]
    public void The_api_of_the_transport_is_the_committed_one() => CommittedApi.ShouldBeThatOf(typeof(RedisTransport).Assembly);
}
