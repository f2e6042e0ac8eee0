namespace Perennial.Testing;

/// <summary>One behavior that a transport must show. Immutable and thread safe.</summary>
public sealed class TransportBehavior
{
    private readonly Func<BehaviorRun, Task> _run;
    private readonly Func<TransportTraits, bool> _applies;

    internal TransportBehavior(string name, Func<BehaviorRun, Task> run, Func<TransportTraits, bool>? applies = null) =>
        (Name, _run, _applies) = (name, run, applies ?? (static _ => true));

    /// <summary>Gets the behavior in one sentence. It is unique and stays the same, to name a test case with.</summary>
    public string Name { get; }

    /// <summary>Returns whether transports with these traits must show it.</summary>
    /// <param name="traits">The traits.</param>
    public bool AppliesTo(TransportTraits traits)
    {
        ArgumentNullException.ThrowIfNull(traits);
        return _applies(traits);
    }

    /// <summary>Starts the harness and checks that its transport shows the behavior. The caller disposes the harness.</summary>
    /// <param name="harness">A new harness.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    /// <exception cref="BehaviorException">The transport does not show the behavior; the message says what happened.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task RunAsync(TransportHarness harness, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(harness);
        await harness.StartAsync(cancellationToken);
        try
        {
            // Without the caller's synchronisation context, of which some test frameworks have one.
            await Task.Run(() => _run(new BehaviorRun(harness, cancellationToken)), cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BehaviorException($"{Name}: {e.Message} (seed {harness.Seed})", e);
        }
    }

    /// <summary>The <see cref="Name"/>.</summary>
    public override string ToString() => Name;
}
