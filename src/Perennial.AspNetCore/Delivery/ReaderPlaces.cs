using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Diagnostics;

namespace Perennial.AspNetCore.Delivery;

/// <summary>Counts the readers of this process in all forms, and applies their limits. Safe from any thread.</summary>
internal sealed class ReaderPlaces(IOptions<PerennialServerOptions> options, StreamRuns runs)
{
    /// <summary>The refusal of a reader beyond the server's limit.</summary>
    public const string AllTaken = "The server has reached its limit of readers. Try again later.";

    /// <summary>The refusal of a reader beyond the run's limit.</summary>
    public const string RunTaken = "The run has reached its limit of readers. Try again later.";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int[]> _takenByRun = new(StringComparer.Ordinal);      // by the id of the run, counted by kind
    private readonly int[] _takenByKind = new int[ReaderKinds.Count];
    private int _taken;

    /// <summary>Takes a place. If there was one, the caller must release it.</summary>
    /// <param name="id">The run.</param>
    /// <param name="kind">The form.</param>
    public PlaceOutcome Take(string id, ReaderKind kind)
    {
        lock (_gate)
        {
            if (_taken >= options.Value.MaxReaders)
            {
                return PlaceOutcome.ServerIsFull;
            }

            if (!_takenByRun.TryGetValue(id, out var readers))
            {
                _takenByRun[id] = readers = new int[ReaderKinds.Count];
            }

            var before = readers.Sum();
            if (before >= options.Value.MaxReadersPerRun)
            {
                return PlaceOutcome.RunIsFull;
            }

            readers[(int)kind]++;
            _takenByKind[(int)kind]++;
            _taken++;
            if (before == 0)
            {
                runs.WatchOf(id)?.OnChanged(isRead: true);
            }
        }

        PerennialServerTelemetry.ActiveReaders.Add(1, new KeyValuePair<string, object?>(PerennialServerTelemetry.Form, kind.Name()));
        return PlaceOutcome.Had;
    }

    /// <summary>Releases a place.</summary>
    public void Leave(string id, ReaderKind kind)
    {
        PerennialServerTelemetry.ActiveReaders.Add(-1, new KeyValuePair<string, object?>(PerennialServerTelemetry.Form, kind.Name()));
        lock (_gate)
        {
            _taken--;
            _takenByKind[(int)kind]--;
            var readers = _takenByRun[id];
            readers[(int)kind]--;
            if (readers.Sum() > 0)
            {
                return;
            }

            _takenByRun.Remove(id);
            runs.WatchOf(id)?.OnChanged(isRead: false);
        }
    }

    /// <summary>Counts the readers of a run, or of all runs, by kind.</summary>
    /// <param name="id">The run; null for all.</param>
    public Dictionary<string, int> CountByKind(string? id = null)
    {
        lock (_gate)
        {
            var readers = id is null ? _takenByKind : _takenByRun.GetValueOrDefault(id) ?? new int[ReaderKinds.Count];
            return Enum.GetValues<ReaderKind>().ToDictionary(kind => kind.Name(), kind => readers[(int)kind], StringComparer.Ordinal);
        }
    }
}

/// <summary>The result of taking a place for a reader.</summary>
internal enum PlaceOutcome
{
    Had,
    RunIsFull,
    ServerIsFull,
}
