using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore.Requests;

namespace Perennial.Gateway.Exchanges;

/// <summary>
/// The runs of this process by the names that providers gave their answers, such as the id of a response. Names belong to the credentials
/// of their
/// client. Bounded; the oldest name is forgotten first. Safe from any thread.
/// </summary>
internal sealed class RunNames
{
    private const int MostNames = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _runs = new(StringComparer.Ordinal);
    private readonly Queue<string> _byAge = new();

    /// <summary>Names a run.</summary>
    public void Set(HttpContext context, string name, string runId)
    {
        var scoped = RequestCredentials.Scope(context, name);
        lock (_gate)
        {
            if (_runs.TryAdd(scoped, runId))
            {
                _byAge.Enqueue(scoped);
            }

            _runs[scoped] = runId;
            while (_byAge.Count > MostNames)
            {
                _runs.Remove(_byAge.Dequeue());
            }
        }
    }

    /// <summary>Finds a run by its name. Null if this process does not know it.</summary>
    public string? Find(HttpContext context, string name)
    {
        lock (_gate)
        {
            return _runs.GetValueOrDefault(RequestCredentials.Scope(context, name));
        }
    }
}
