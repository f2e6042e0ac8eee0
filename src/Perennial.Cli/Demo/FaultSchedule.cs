using Perennial.Testing;

namespace Perennial.Cli.Demo;

/// <summary>
/// Decides where and how connections are cut: after a number of bytes, by a reset, a normal close in the middle of the response, or a stall
/// that never ends. The same seed gives the same cuts. Immutable and thread safe.
/// </summary>
internal sealed class FaultSchedule
{
    /// <summary>
    /// The share of the stream that faulty connections carry. Together they carry less than the whole stream, and each repeats the event in
    /// which the one before was cut, so every cut happens.
    /// </summary>
    private const double Share = 0.95;

    private readonly FaultPlan[] _plans;

    /// <param name="seed">Any number.</param>
    /// <param name="cuts">How many connections are cut.</param>
    /// <param name="streamBytes">The least number of bytes of the stream.</param>
    public FaultSchedule(int seed, int cuts, long streamBytes)
    {
        var random = new Random(seed);
        var weights = Array.ConvertAll(new double[cuts], _ => 0.5 + random.NextDouble());
        var bytesPerWeight = streamBytes * Share / weights.Sum();
        _plans = Array.ConvertAll(weights, weight => Fault((long)(weight * bytesPerWeight), random));
    }

    private FaultSchedule(FaultPlan[] plans) => _plans = plans;

    /// <summary>The number of cuts.</summary>
    public int Cuts => _plans.Length;

    /// <summary>
    /// Returns the same cuts after a number of connections that are reset at the first byte of the response: the server received the
    /// request, and the head of its response is lost.
    /// </summary>
    public FaultSchedule AfterLostHeads(int heads) => new([.. Enumerable.Repeat(FaultPlan.Cut(afterBytes: 1), heads), .. _plans]);

    /// <summary>Returns the fault of a connection, counted from 0. Connections after the last cut have none.</summary>
    public FaultPlan PlanFor(int connection) => connection < _plans.Length ? _plans[connection] : FaultPlan.None;

    private static FaultPlan Fault(long bytes, Random random) => random.Next(3) switch
    {
        0 => FaultPlan.Cut(bytes, CutMode.Reset),
        1 => FaultPlan.Cut(bytes, CutMode.Close),
        _ => FaultPlan.Stall(bytes),
    };
}
