namespace Perennial.Testing;

/// <summary>
/// What a <see cref="FaultProxy"/> does to one connection. Plans concern what the server sends, until <see cref="OnUpstream"/> turns
/// them around, and are combined with <see cref="And"/>. Immutable; equal plans compare equal.
/// </summary>
/// <example>
/// <code>
/// FaultPlan.Cut(afterBytes: 1000)
/// FaultPlan.Cut(After.Seen("\n\n", times: 3), CutMode.Close).And(FaultPlan.Split(1, 2, 3))
/// FaultPlan.Stall(After.Time(TimeSpan.FromSeconds(2))).OnUpstream()
/// </code>
/// </example>
public sealed record FaultPlan
{
    private FaultPlan()
    {
    }

    /// <summary>Carries the connection faithfully.</summary>
    public static FaultPlan None { get; } = new();

    /// <summary>Accepts the connection and resets it at once. The upstream never hears of it.</summary>
    public static FaultPlan Refuse { get; } = new() { Opening = Opening.Refuse };

    /// <summary>Accepts the connection, reads what the client sends, and never answers. The upstream never hears of it.</summary>
    public static FaultPlan Swallow { get; } = new() { Opening = Opening.Swallow };

    internal Opening Opening { get; private init; }

    internal FlowFaults Downstream { get; private init; } = FlowFaults.None;

    internal FlowFaults Upstream { get; private init; } = FlowFaults.None;

    /// <summary>Ends the connection, towards client and server, once exactly this many bytes have been delivered.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="afterBytes"/> is negative.</exception>
    public static FaultPlan Cut(long afterBytes, CutMode how = CutMode.Reset) => Cut(After.Bytes(afterBytes), how);

    /// <summary>Ends the connection, towards client and server, at the given moment.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="how"/> is not a defined mode.</exception>
    public static FaultPlan Cut(After when, CutMode how = CutMode.Reset)
    {
        ArgumentNullException.ThrowIfNull(when);
        if (!Enum.IsDefined(how))
        {
            throw new ArgumentOutOfRangeException(nameof(how), how, "Reset or Close.");
        }

        return new FaultPlan { Downstream = new FlowFaults { Cut = (when, how) } };
    }

    /// <summary>Stops the flow once exactly this many bytes have been delivered; see <see cref="Stall(After, TimeSpan?)"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A negative number of bytes, or a duration that is not positive.</exception>
    public static FaultPlan Stall(long afterBytes, TimeSpan? lasting = null) => Stall(After.Bytes(afterBytes), lasting);

    /// <summary>
    /// Stops the flow at the given moment and keeps the connection open. The proxy stops reading too, so TCP backpressure reaches the
    /// sender. It flows again after <paramref name="lasting"/> (null, the default: never), by <see cref="FaultProxy.ResumeAll"/>, or when
    /// the client closes its end.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="lasting"/> is zero or negative.</exception>
    public static FaultPlan Stall(After when, TimeSpan? lasting = null)
    {
        ArgumentNullException.ThrowIfNull(when);
        if (lasting is { } duration)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero, nameof(lasting));
        }

        return new FaultPlan { Downstream = new FlowFaults { Stall = (when, lasting) } };
    }

    /// <summary>Carries at most this many bytes per second, in about twenty pieces per second.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bytesPerSecond"/> is below 1.</exception>
    public static FaultPlan Throttle(int bytesPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesPerSecond, 1);
        return Paced(new Pacing { Sizes = [Math.Max(1, bytesPerSecond / 20)], BytesPerSecond = bytesPerSecond });
    }

    /// <summary>Carries <paramref name="bytes"/> bytes at a time, with a pause after each piece.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bytes"/> is below 1, or the pause is not positive.</exception>
    public static FaultPlan Drip(int bytes, TimeSpan pause)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(pause, TimeSpan.Zero);
        return Paced(new Pacing { Sizes = [bytes], Pause = pause });
    }

    /// <summary>
    /// Sends the bytes in pieces of these sizes, used in turn, for ever. A boundary falls at every sum of sizes, and also wherever the
    /// sender paused. A receiver that reads late may still get several pieces at once, as TCP allows.
    /// </summary>
    /// <exception cref="ArgumentException">There are no sizes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1.</exception>
    public static FaultPlan Split(params ReadOnlySpan<int> sizes)
    {
        if (sizes.IsEmpty)
        {
            throw new ArgumentException("There must be at least one size.", nameof(sizes));
        }

        foreach (var size in sizes)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(size, 1, nameof(sizes));
        }

        return Paced(new Pacing { Sizes = [.. sizes] });
    }

    /// <summary>For the <c>plan</c> of a proxy: the first connection gets the first plan, and so on; the last plan repeats.</summary>
    /// <exception cref="ArgumentException">There are no plans.</exception>
    public static Func<int, FaultPlan> InOrder(params FaultPlan[] plans)
    {
        ArgumentNullException.ThrowIfNull(plans);
        if (plans.Length == 0)
        {
            throw new ArgumentException("There must be at least one plan.", nameof(plans));
        }

        return index => plans[Math.Min(index, plans.Length - 1)];
    }

    /// <summary>Both plans at once. Each direction takes one cut, one stall and one pace (throttle, drip or split).</summary>
    /// <exception cref="ArgumentException">Both plans name a fault of the same kind in the same direction.</exception>
    public FaultPlan And(FaultPlan other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (Opening != Opening.Forward && other.Opening != Opening.Forward)
        {
            throw new ArgumentException("A connection is refused or swallowed, once.", nameof(other));
        }

        return new FaultPlan
        {
            Opening = Opening == Opening.Forward ? other.Opening : Opening,
            Downstream = Downstream.And(other.Downstream),
            Upstream = Upstream.And(other.Upstream),
        };
    }

    /// <summary>The same faults on the bytes of the other direction: on what the client sends.</summary>
    public FaultPlan OnUpstream() => new() { Opening = Opening, Downstream = Upstream, Upstream = Downstream };

    /// <summary>The plan in a few words, such as <c>downstream: reset after 120 bytes</c>.</summary>
    public override string ToString()
    {
        List<string> parts = [];
        if (Opening != Opening.Forward)
        {
            parts.Add(Opening == Opening.Refuse ? "refuse" : "swallow");
        }

        if (Downstream != FlowFaults.None)
        {
            parts.Add($"downstream: {Downstream}");
        }

        if (Upstream != FlowFaults.None)
        {
            parts.Add($"upstream: {Upstream}");
        }

        return parts.Count == 0 ? "no fault" : string.Join(", ", parts);
    }

    private static FaultPlan Paced(Pacing pacing) => new() { Downstream = new FlowFaults { Pacing = pacing } };
}

/// <summary>What becomes of a connection when it is accepted.</summary>
internal enum Opening
{
    Forward,
    Refuse,
    Swallow,
}
