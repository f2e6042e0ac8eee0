using Perennial.Testing;

namespace Perennial.Cli.Demo;

/// <summary>
/// Where and how the line is cut: after so many bytes of each connection, by a reset, an orderly close in the middle of the response, or
/// a stall that never ends. The same seed gives the same cuts. Immutable and thread safe.
/// </summary>
internal sealed class FaultSchedule
{
    /// <summary>
    /// The share of the stream that faulty connections carry. All of them together carry less than the stream has, and repeat what they
    /// broke off in, so every cut happens.
    /// </summary>
    private const double Share = 0.95;

    private readonly FaultPlan[] _plans;

    /// <param name="seed">Any number.</param>
    /// <param name="cuts">How many connections are cut.</param>
    /// <param name="streamBytes">What the stream has at the least.</param>
    public FaultSchedule(int seed, int cuts, long streamBytes)
    {
        var random = new Random(seed);
        var weights = Array.ConvertAll(new double[cuts], _ => 0.5 + random.NextDouble());
        var bytesPerWeight = streamBytes * Share / weights.Sum();
        _plans = Array.ConvertAll(weights, weight => Fault((long)(weight * bytesPerWeight), random));
    }

    private FaultSchedule(FaultPlan[] plans) => _plans = plans;

    /// <summary>How often the line is cut.</summary>
    public int Cuts => _plans.Length;

    /// <summary>The same cuts after so many connections that are reset with the first byte of the answer: its head is lost, and the request was received.</summary>
    public FaultSchedule AfterLostHeads(int heads) => new([.. Enumerable.Repeat(FaultPlan.Cut(afterBytes: 1), heads), .. _plans]);

    /// <summary>What happens to a connection, counted from 0. After the last cut the line is sound.</summary>
    public FaultPlan PlanFor(int connection) => connection < _plans.Length ? _plans[connection] : FaultPlan.None;

    private static FaultPlan Fault(long bytes, Random random) => random.Next(3) switch
    {
        0 => FaultPlan.Cut(bytes, CutMode.Reset),
        1 => FaultPlan.Cut(bytes, CutMode.Close),
        _ => FaultPlan.Stall(bytes),
    };
}
