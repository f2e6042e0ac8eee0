namespace Perennial.Engine;

/// <summary>
/// Starts work that outlives its caller, without the caller's ambient context (ExecutionContext): a task that runs as long as the transport
/// must not keep the context of the first request alive.
/// </summary>
internal static class DetachedTask
{
    public static Task Run(Func<Task> work)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Task.Run(work, CancellationToken.None);
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(work, CancellationToken.None);
        }
    }
}
