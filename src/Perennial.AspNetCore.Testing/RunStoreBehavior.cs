using System.Globalization;
using Perennial.Testing;

namespace Perennial.AspNetCore.Testing;

/// <summary>One behavior that a store of runs must show. Immutable and thread safe.</summary>
public sealed class RunStoreBehavior
{
    private readonly Func<RunStoreTrial, Task> _run;

    internal RunStoreBehavior(string name, Func<RunStoreTrial, Task> run) => (Name, _run) = (name, run);

    /// <summary>Gets the behavior in one sentence. It is unique and stays the same, to name a test case with.</summary>
    public string Name { get; }

    /// <summary>Checks that the stores of a harness show the behavior. The caller disposes the harness.</summary>
    /// <param name="harness">A new harness.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    /// <exception cref="BehaviorException">A store does not show the behavior; the message says what happened.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task RunAsync(RunStoreHarness harness, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(harness);
        using var limit = new CancellationTokenSource(harness.Patience, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            // Without the caller's synchronisation context, of which some test frameworks have one.
            await Task.Run(() => _run(new RunStoreTrial(harness, either.Token)), either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new BehaviorException(
                $"{Name}: it was not shown within {harness.Patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.", e);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BehaviorException($"{Name}: {e.Message}", e);
        }
    }

    /// <summary>The <see cref="Name"/>.</summary>
    public override string ToString() => Name;
}
