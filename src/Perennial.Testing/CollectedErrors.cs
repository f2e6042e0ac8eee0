using System.Collections.Immutable;
using System.Runtime.ExceptionServices;

namespace Perennial.Testing;

/// <summary>Keeps what the user's callbacks threw in the background until someone can be told. Thread-safe.</summary>
internal sealed class CollectedErrors
{
    private ImmutableList<Exception> _errors = [];

    public IReadOnlyList<Exception> All => Volatile.Read(ref _errors);

    public void Add(Exception error) => ImmutableInterlocked.Update(ref _errors, static (list, added) => list.Add(added), error);

    /// <summary>
    /// Throws a single error as it was, so that a failed assertion reads as one, and several as an <see cref="AggregateException"/>.
    /// </summary>
    public void ThrowIfAny()
    {
        if (All is [var only])
        {
            ExceptionDispatchInfo.Throw(only);
        }

        if (All.Count > 1)
        {
            throw new AggregateException(All);
        }
    }
}
