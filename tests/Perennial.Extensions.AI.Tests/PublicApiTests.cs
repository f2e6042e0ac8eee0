using Perennial.AspNetCore;
using Perennial.Tests.PublicApi;

namespace Perennial.Chats.Tests;

/// <summary>The public API changes on purpose only.</summary>
public class PublicApiTests
{
    [Fact]
    public void The_api_of_the_client_half_is_the_committed_one() => CommittedApi.ShouldBeThatOf(typeof(PerennialChatClient).Assembly);

    [Fact]
    public void The_api_of_the_server_half_is_the_committed_one() => CommittedApi.ShouldBeThatOf(typeof(ChatRuns).Assembly);
}
