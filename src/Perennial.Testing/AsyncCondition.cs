namespace Perennial.Testing;

/// <summary>Lets tasks wait until something others change has become true. Safe for any number of threads.</summary>
internal sealed class AsyncCondition
{
    private TaskCompletionSource _changed = NewSource();

    /// <summary>Completes once <paramref name="isMet"/> holds; it is asked again after each <see cref="Changed"/>.</summary>
    public async Task WaitAsync(Func<bool> isMet, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Taken before the question is asked, so a change in between is not missed.
            var changed = Volatile.Read(ref _changed).Task;
            if (isMet())
            {
                return;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Wakes everyone who waits. Call it without holding a lock that a condition takes.</summary>
    public void Changed() => Interlocked.Exchange(ref _changed, NewSource()).TrySetResult();

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
