using Perennial.AspNetCore.Testing;
using Perennial.Tests.PublicApi;

namespace Perennial.AspNetCore.Tests.PublicApi;

/// <summary>The public API changes on purpose only: it is compared to the text committed beside this file.</summary>
public class PublicApiTests
{
    [Fact]
    public void The_api_of_the_server_is_the_committed_one() => CommittedApi.ShouldBeThatOf(typeof(StreamRuns).Assembly);

    [Fact]
    public void The_api_of_the_server_s_testing_library_is_the_committed_one() =>
        CommittedApi.ShouldBeThatOf(typeof(RunStoreBehaviors).Assembly);
}
