using System.Collections.Concurrent;

/// <summary>Stands in for the thread that a user interface runs on: one thing after the other, all on one thread.</summary>
public sealed class UserInterfaceThread : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _work = [];

    public override void Post(SendOrPostCallback d, object? state) => _work.Add((d, state));

    public static void Run(Func<Task> main)
    {
        var thread = new UserInterfaceThread();
        SetSynchronizationContext(thread);
        _ = main().ContinueWith(_ => thread._work.CompleteAdding(), TaskScheduler.Default);
        foreach (var (callback, state) in thread._work.GetConsumingEnumerable())
        {
            callback(state);
        }
    }
}
