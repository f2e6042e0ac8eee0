namespace Perennial.Testing;

/// <summary>
/// The behaviours that every transport must show, whatever its protocol. Run each with a harness of its own, as a case of any test
/// framework.
/// </summary>
/// <example>
/// <code>
/// public static IEnumerable&lt;string&gt; Names => TransportBehaviours.For(MyHarness.MyTraits).Select(behaviour => behaviour.Name);
///
/// // once for each name
/// await using var harness = new MyHarness();
/// await TransportBehaviours.Named(name).RunAsync(harness, cancellationToken);
/// </code>
/// </example>
public static class TransportBehaviours
{
    /// <summary>Gets all behaviours.</summary>
    public static IReadOnlyList<TransportBehaviour> All { get; } =
    [
        .. ReadingBehaviours.All,
        .. ResumingBehaviours.All,
        .. FlowBehaviours.All,
        .. LeavingBehaviours.All,
        .. AvailabilityBehaviours.All,
        .. SendingBehaviours.All,
        .. ReportingBehaviours.All,
    ];

    /// <summary>Returns the behaviours that transports with these traits must show.</summary>
    /// <param name="traits">The traits.</param>
    public static IReadOnlyList<TransportBehaviour> For(TransportTraits traits) => [.. All.Where(behaviour => behaviour.AppliesTo(traits))];

    /// <summary>Returns the behaviour with a name.</summary>
    /// <param name="name">The <see cref="TransportBehaviour.Name"/>.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static TransportBehaviour Named(string name) =>
        All.FirstOrDefault(behaviour => string.Equals(behaviour.Name, name, StringComparison.Ordinal))
        ?? throw new ArgumentException($"No behaviour is named '{name}'. There are: {string.Join("; ", All)}.", nameof(name));
}
