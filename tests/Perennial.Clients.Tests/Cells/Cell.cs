using Perennial.Clients.Tests.Clients;
using Perennial.Clients.Tests.Node;
using Perennial.Clients.Tests.Roads;

namespace Perennial.Clients.Tests.Cells;

/// <summary>One client, on one road, in one case.</summary>
internal sealed record Cell(OfficialClient Client, Road Road, AnswerCase Case)
{
    /// <summary>After which a cell counts as hanging. None takes a hundredth of it.</summary>
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    /// <summary>For clients that wait for their own limit. The answer has broken off long before.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private bool WaitsInVain => Client.WaitsForMore && Case.IsBroken && !TellsError;

    /// <summary>Whether the provider's own error comes to the client.</summary>
    public bool TellsError => Case == AnswerCase.Error && Road.PassesErrors(Client.Provider.Dialect);

    /// <summary>Lets the client ask, and says what it told its application.</summary>
    public async Task<Outcome> RunAsync(NodeHost node)
    {
        await using var server = Case.ScriptOf(Client.Script).Start();
        await using var road = await Road.OpenAsync(server);
        using var hang = new CancellationTokenSource(Hang, TimeProvider.System);
        var ask = new Ask(road.BaseAddress)
        {
            Node = node,
            IsStreamed = Case.IsStreamed,
            GivesUpAfter = WaitsInVain ? Patience : null,
            Progress = server.ResumeAll,
        };
        Reading? reading = null;
        string? error = null;
        try
        {
            reading = await Client.ReadAsync(ask, hang.Token).WaitAsync(hang.Token);
        }
        catch (Exception e) when (!hang.IsCancellationRequested)
        {
            error = e.ToString();
        }

        return new Outcome(reading, error, server.Prompts.Count);
    }
}
