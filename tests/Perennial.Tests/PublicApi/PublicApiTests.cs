using Perennial.Testing;

namespace Perennial.Tests.PublicApi;

/// <summary>The public API changes on purpose only: it is compared to the text committed beside this file.</summary>
public class PublicApiTests
{
    [Fact]
    public void The_api_of_the_client_is_the_committed_one() => CommittedApi.ShouldBeThatOf(typeof(Transport).Assembly);

    [Fact]
    public void The_api_of_the_dialects_is_the_committed_one() => CommittedApi.ShouldBeThatOf(typeof(Dialect).Assembly);

    [Fact]
    public void The_api_of_the_testing_library_is_the_committed_one() => CommittedApi.ShouldBeThatOf(typeof(ScriptedServer).Assembly);
}
