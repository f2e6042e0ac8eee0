namespace Perennial.GroupCommit;

/// <summary>Checks options of stores.</summary>
internal static class OptionRange
{
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public static void Require<T>(T value, T least, T most, string member)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            throw new ArgumentOutOfRangeException(member, value, FormattableString.Invariant($"{member} must be from {least} to {most}."));
        }
    }
}
