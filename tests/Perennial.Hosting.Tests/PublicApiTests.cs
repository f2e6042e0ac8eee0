using Perennial.Tests.PublicApi;

namespace Perennial.Hosting.Tests;

/// <summary>The public API changes on purpose only.</summary>
public class PublicApiTests
{
    [Fact]
    public void The_api_of_the_hosting_library_is_the_committed_one() => CommittedApi.ShouldBeThatOf(typeof(NamedTransports).Assembly);
}
