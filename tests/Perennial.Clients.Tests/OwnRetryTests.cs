using Perennial.Clients.Tests.Cells;
using Perennial.Clients.Tests.Clients;
using Perennial.Clients.Tests.Roads;

namespace Perennial.Clients.Tests;

/// <summary>Clients that repeat a prompt by themselves after a lost connection ask through a gateway.</summary>
public class OwnRetryTests(Matrix matrix)
{
    /// <summary>Milliseconds after which a test counts as hanging.</summary>
    private const int Hang = 120_000;

    public static TheoryData<string, bool> Clients
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var client in NpmClients.All.Where(static each => each.RepeatsPrompts))
            {
                data.Add(client.ToString(), true);
                data.Add(client.ToString(), false);
            }

            return data;
        }
    }

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Clients))]
    public async Task A_provider_that_resets_after_it_took_the_prompt_is_asked_once(string client, bool isStreamed)
    {
        var asking = Find(client);
        await using var provider = asking.Script.ResetUnanswered().Start();
        await using var gateway = await Road.Gateway.OpenAsync(provider);

        var error = await Should.ThrowAsync<Exception>(asking.ReadAsync(AskAt(gateway.BaseAddress, isStreamed), TestEnds));

        error.Message.ShouldContain("502");
        provider.Prompts.Count.ShouldBe(1);
    }

    private static OfficialClient Find(string client) =>
        NpmClients.All.Single(each => string.Equals(each.ToString(), client, StringComparison.Ordinal));

    private Ask AskAt(Uri address, bool isStreamed) =>
        new(address) { Node = matrix.RequireNode(), IsStreamed = isStreamed, Progress = static () => { } };
}
