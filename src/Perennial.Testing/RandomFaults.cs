using System.Collections.Immutable;

namespace Perennial.Testing;

/// <summary>
/// Cuts connections by random means at random bytes, reproducibly: the plan of connection n depends on the seed, the settings and n, and
/// on nothing else. Immutable and thread-safe.
/// </summary>
/// <example>
/// <code>
/// var faults = new RandomFaults { Seed = 42, MinBytes = 500, MaxBytes = 20_000, RefuseShare = 0.1 };
/// await using var proxy = FaultProxy.Start(server.Address, faults.PlanFor);
/// </code>
/// </example>
public sealed record RandomFaults
{
    /// <summary>Gets the seed, any number. Log it: the same seed gives the same faults.</summary>
    public required int Seed { get; init; }

    /// <summary>The fewest bytes a connection delivers before it is cut. Default 0; a client that must make progress needs more.</summary>
    public long MinBytes { get; init; }

    /// <summary>The most bytes a connection delivers before it is cut. Default 4096, at least <see cref="MinBytes"/>.</summary>
    public long MaxBytes { get; init; } = 4096;

    /// <summary>The share of connections that are refused at once instead, from 0 (the default) to 1.</summary>
    public double RefuseShare { get; init; }

    /// <summary>The ways to cut, each as likely as the others. Default: both.</summary>
    public ImmutableArray<CutMode> CutModes { get; init; } = [CutMode.Reset, CutMode.Close];

    /// <summary>
    /// The largest piece in which bytes are forwarded; the boundaries are random too. Null, the default, leaves the pieces alone.
    /// </summary>
    public int? MaxPieceBytes { get; init; }

    /// <summary>How many connections get a fault; later ones are carried faithfully, so that a test can end. Default: all.</summary>
    public int FaultyConnections { get; init; } = int.MaxValue;

    /// <summary>The plan of the connection with this index; to be handed to <see cref="FaultProxy"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="connection"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">A setting is out of its range; the message names it.</exception>
    public FaultPlan PlanFor(int connection)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(connection);
        Validate();
        var random = new SeededRandom(Seed, connection);
        var isRefused = random.NextShare() < RefuseShare;
        var cut = FaultPlan.Cut(random.Between(MinBytes, MaxBytes), CutModes[(int)random.Between(0, CutModes.Length - 1)]);
        if (connection >= FaultyConnections)
        {
            return FaultPlan.None;
        }

        if (isRefused)
        {
            return FaultPlan.Refuse;
        }

        return MaxPieceBytes is { } largest ? cut.And(FaultPlan.Split(RandomSizes(ref random, largest))) : cut;
    }

    private static int[] RandomSizes(ref SeededRandom random, int largest)
    {
        var sizes = new int[16];
        foreach (ref var size in sizes.AsSpan())
        {
            size = (int)random.Between(1, largest);
        }

        return sizes;
    }

    private void Validate()
    {
        if (MinBytes < 0)
        {
            throw new InvalidOperationException($"{nameof(MinBytes)} is {MinBytes}; it must be 0 or more.");
        }

        if (MaxBytes < MinBytes || MaxBytes == long.MaxValue)
        {
            throw new InvalidOperationException($"{nameof(MaxBytes)} is {MaxBytes}; it must be from {MinBytes} to {long.MaxValue - 1}.");
        }

        if (RefuseShare is not (>= 0 and <= 1))
        {
            throw new InvalidOperationException($"{nameof(RefuseShare)} is {RefuseShare}; it must be from 0 to 1.");
        }

        if (CutModes.IsDefaultOrEmpty)
        {
            throw new InvalidOperationException($"{nameof(CutModes)} is empty; it must name at least one way.");
        }

        if (MaxPieceBytes < 1)
        {
            throw new InvalidOperationException($"{nameof(MaxPieceBytes)} is {MaxPieceBytes}; it must be 1 or more, or null.");
        }
    }
}
