namespace Perennial.Management;

/// <summary>The exception thrown when the pool is full and no transport in it can be removed.</summary>
public sealed class PoolFullException : InvalidOperationException
{
    internal PoolFullException(TransportSummary summary)
        : base(
            $"The pool is full: {summary.Live} of {summary.Capacity} transports ({Words(summary)}), none of them ended or idle. Close one, or raise MaxTransports.") =>
        Summary = summary;

    /// <summary>Gets a summary of the transports in the pool.</summary>
    public TransportSummary Summary { get; }

    private static string Words(TransportSummary summary) =>
        string.Join(", ", summary.ByState.OrderBy(static state => state.Key).Select(static state => $"{state.Value} {state.Key}"));
}
