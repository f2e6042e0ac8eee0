using System.Collections.Concurrent;
using Perennial.Testing;

namespace Perennial.TestServer;

/// <summary>A line that a test wants. Without <see cref="MaxBytes"/> it breaks only when it is told to.</summary>
internal sealed record LineOrder
{
    public int Seed { get; init; }

    /// <summary>The fewest bytes before a cut.</summary>
    public int MinBytes { get; init; }

    /// <summary>The most bytes before a cut; 0: no cuts.</summary>
    public int MaxBytes { get; init; }

    /// <summary>The largest piece in which bytes arrive; none: as they come.</summary>
    public int? MaxPieceBytes { get; init; }

    /// <summary>Which connection falls silent for good in the middle, from 0; none: none does.</summary>
    public int? Stalled { get; init; }
}

/// <param name="Id">For what is to be done to it.</param>
/// <param name="Address">Where streams are read over it.</param>
/// <param name="Cuts">How often it was cut.</param>
/// <param name="Connections">How many connections were made over it.</param>
internal sealed record LineState(int Id, Uri Address, int Cuts, int Connections);

/// <summary>The lines of all tests. Thread safe.</summary>
internal sealed class FaultyLines : IAsyncDisposable
{
    private const int LongestDelay = 20;

    private readonly ConcurrentDictionary<int, FaultProxy> _lines = [];
    private int _last;

    /// <summary>Where lines lead to; set once, before the first.</summary>
    public Uri? Upstream { get; set; }

    public LineState Open(LineOrder order)
    {
        var id = Interlocked.Increment(ref _last);
        _lines[id] = FaultProxy.Start(Upstream!, order.MaxBytes == 0 ? null : PlanOf(order));
        return StateOf(id);
    }

    public LineState StateOf(int id) => new(id, _lines[id].Address, _lines[id].Cuts, _lines[id].Connections);

    public IResult Act(int id, string action)
    {
        var line = _lines[id];
        switch (action)
        {
            case "cut":
                line.CutAll();
                break;
            case "stall":
                line.StallAll();
                break;
            case "resume":
                line.ResumeAll();
                break;
            case "refuse":
                line.Refusing = true;
                break;
            case "accept":
                line.Refusing = false;
                break;
            default:
                return Results.NotFound();
        }

        return Results.NoContent();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var line in _lines.Values)
        {
            await line.DisposeAsync();
        }
    }

    /// <summary>Every connection is cut at a random byte; every third is held up for a moment before, and one for good.</summary>
    private static Func<int, FaultPlan> PlanOf(LineOrder order)
    {
        var faults = new RandomFaults
        {
            Seed = order.Seed,
            MinBytes = order.MinBytes,
            MaxBytes = order.MaxBytes,
            MaxPieceBytes = order.MaxPieceBytes,
        };
        return connection =>
        {
            if (connection == order.Stalled)
            {
                return FaultPlan.Stall(order.MinBytes);
            }

            var plan = faults.PlanFor(connection);
            return connection % 3 == 2 ? plan.And(FaultPlan.Stall(order.MinBytes / 2, TimeSpan.FromMilliseconds(1 + (connection % LongestDelay)))) : plan;
        };
    }
}
