namespace Perennial.Engine;

/// <summary>
/// Starts work that outlives its caller, without the caller's ambient context: what runs for the life of a transport must not carry the
/// request that happened to come first.
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
