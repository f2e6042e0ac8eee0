namespace Perennial.Testing;

/// <summary>
/// The behaviors that every transport must show, whatever its protocol. Run each with a harness of its own, as a case of any test
/// framework.
/// </summary>
/// <example>
/// <code>
/// public static IEnumerable&lt;string&gt; Names => TransportBehaviors.For(MyHarness.MyTraits).Select(behavior => behavior.Name);
///
/// // once for each name
/// await using var harness = new MyHarness();
/// await TransportBehaviors.Named(name).RunAsync(harness, cancellationToken);
/// </code>
/// </example>
public static class TransportBehaviors
{
    /// <summary>Gets all behaviors.</summary>
    public static IReadOnlyList<TransportBehavior> All { get; } =
    [
        .. ReadingBehaviors.All,
        .. ResumingBehaviors.All,
        .. FlowBehaviors.All,
        .. LeavingBehaviors.All,
        .. AvailabilityBehaviors.All,
        .. SendingBehaviors.All,
        .. ReportingBehaviors.All,
    ];

    /// <summary>Returns the behaviors that transports with these traits must show.</summary>
    /// <param name="traits">The traits.</param>
    public static IReadOnlyList<TransportBehavior> For(TransportTraits traits) => [.. All.Where(behavior => behavior.AppliesTo(traits))];

    /// <summary>Returns the behavior with a name.</summary>
    /// <param name="name">The <see cref="TransportBehavior.Name"/>.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static TransportBehavior Named(string name) =>
        All.FirstOrDefault(behavior => string.Equals(behavior.Name, name, StringComparison.Ordinal))
        ?? throw new ArgumentException($"No behavior is named '{name}'. There are: {string.Join("; ", All)}.", nameof(name));
}
