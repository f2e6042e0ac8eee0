namespace Perennial.Engine;

/// <summary>Cancelling where nobody could make anything of a callback that throws: on a timer, while closing.</summary>
internal static class Cancelling
{
    /// <summary>Cancels, and leaves what callbacks of others throw to them.</summary>
    public static void CancelQuietly(this CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (AggregateException)
        {
            // All callbacks ran; one that threw concerns whoever registered it.
        }
    }
}
