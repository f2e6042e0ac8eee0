namespace Perennial.Engine;

/// <summary>Cancels token sources where no caller can handle an exception of a callback: in a timer, while closing.</summary>
internal static class Cancelling
{
    /// <summary>Cancels the source, and ignores exceptions of callbacks.</summary>
    public static void CancelQuietly(this CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (AggregateException)
        {
            // All callbacks ran. An exception concerns only the code that registered the callback.
        }
    }
}
