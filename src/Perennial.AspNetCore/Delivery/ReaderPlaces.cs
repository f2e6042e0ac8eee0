using Microsoft.Extensions.Options;

namespace Perennial.AspNetCore.Delivery;

/// <summary>Counts the readers of this process, whatever their form, and knows how many there may be. Safe from any thread.</summary>
internal sealed class ReaderPlaces(IOptions<PerennialServerOptions> options, StreamRuns runs)
{
    /// <summary>What a reader is told for whom the server has no place.</summary>
    public const string AllTaken = "The server has all the readers it can serve just now.";

    /// <summary>What a reader is told for whom the run has no place.</summary>
    public const string RunTaken = "The run has all the readers it may have.";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _takenByRun = new(StringComparer.Ordinal);
    private int _taken;

    /// <summary>Takes a place, to be left again where it is had.</summary>
    /// <param name="id">The run.</param>
    public PlaceOutcome Take(string id)
    {
        lock (_gate)
        {
            if (_taken >= options.Value.MaxReaders)
                return PlaceOutcome.ServerIsFull;
            var readers = _takenByRun.GetValueOrDefault(id);
            if (readers >= options.Value.MaxReadersPerRun)
                return PlaceOutcome.RunIsFull;
            _takenByRun[id] = readers + 1;
            _taken++;
            if (readers == 0)
                runs.WatchOf(id)?.OnChanged(isRead: true);
            return PlaceOutcome.Had;
        }
    }

    /// <summary>Gives a place back.</summary>
    public void Leave(string id)
    {
        lock (_gate)
        {
            _taken--;
            if (--_takenByRun[id] > 0)
                return;
            _takenByRun.Remove(id);
            runs.WatchOf(id)?.OnChanged(isRead: false);
        }
    }
}

/// <summary>Whether there was a place for a reader.</summary>
internal enum PlaceOutcome
{
    Had,
    RunIsFull,
    ServerIsFull,
}
