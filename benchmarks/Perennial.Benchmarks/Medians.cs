namespace Perennial.Benchmarks;

/// <summary>The value in the middle.</summary>
internal static class Medians
{
    public static double Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    public static double Of(IEnumerable<Sample> samples, Func<Sample, double> value) => Of(samples.Select(value));
}
