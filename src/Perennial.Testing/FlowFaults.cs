namespace Perennial.Testing;

/// <summary>What happens to the bytes of one direction.</summary>
internal sealed record FlowFaults
{
    public static FlowFaults None { get; } = new();

    public (After When, CutMode How)? Cut { get; init; }

    /// <summary>A stall without a duration lasts for ever.</summary>
    public (After When, TimeSpan? Lasting)? Stall { get; init; }

    public Pacing? Pacing { get; init; }

    /// <exception cref="ArgumentException">Both name a fault of the same kind.</exception>
    public FlowFaults And(FlowFaults other)
    {
        var isClash = (Cut is not null && other.Cut is not null)
            || (Stall is not null && other.Stall is not null)
            || (Pacing is not null && other.Pacing is not null);
        if (isClash)
        {
            throw new ArgumentException($"A direction takes one cut, one stall and one pace, not '{this}' and '{other}'.", nameof(other));
        }

        return new FlowFaults { Cut = Cut ?? other.Cut, Stall = Stall ?? other.Stall, Pacing = Pacing ?? other.Pacing };
    }

    public override string ToString()
    {
        List<string> parts = [];
        if (Pacing is not null)
        {
            parts.Add(Pacing.ToString());
        }

        if (Stall is var (stallWhen, lasting))
        {
            parts.Add($"stall {stallWhen} {(lasting is null ? "for ever" : $"for {lasting:c}")}");
        }

        if (Cut is var (cutWhen, how))
        {
            parts.Add($"{(how == CutMode.Reset ? "reset" : "close")} {cutWhen}");
        }

        return string.Join("; ", parts);
    }
}
