namespace Perennial.AspNetCore.Runs;

/// <summary>The delegates that go on with runs whose producer is gone, by name. Not changed after the host has started.</summary>
internal sealed class Resumptions
{
    private readonly Dictionary<string, Func<ResumedRun, CancellationToken, Task>> _byName = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Names => _byName.Keys;

    public Func<ResumedRun, CancellationToken, Task> this[string name] => _byName[name];

    /// <exception cref="InvalidOperationException">The name is in use.</exception>
    public void Add(string name, Func<ResumedRun, CancellationToken, Task> resume)
    {
        if (!_byName.TryAdd(name, resume))
        {
            throw new InvalidOperationException($"AddResumption was called twice with the name '{name}'.");
        }
    }

    /// <exception cref="ArgumentException">No resumption has the name.</exception>
    public void Require(string? name)
    {
        if (name is not null && !_byName.ContainsKey(name))
        {
            throw PerennialServerOptions.Invalid(
                nameof(RunOptions.ResumeWith), $"must be null or a name that AddResumption has registered, but is '{name}'");
        }
    }
}
