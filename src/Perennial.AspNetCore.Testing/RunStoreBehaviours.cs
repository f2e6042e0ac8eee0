namespace Perennial.AspNetCore.Testing;

/// <summary>
/// The behaviours that every store of runs must show. Run each with a harness of its own, as a case of any test framework.
/// </summary>
/// <example>
/// <code>
/// public static IEnumerable&lt;string&gt; Names => RunStoreBehaviours.All.Select(behaviour => behaviour.Name);
///
/// // once for each name
/// await using var harness = new MyHarness();
/// await RunStoreBehaviours.Named(name).RunAsync(harness, cancellationToken);
/// </code>
/// </example>
/// <remarks>
/// What a store does when a node or its database is gone cannot be shown by any harness and is left to the store's own tests.
/// </remarks>
public static class RunStoreBehaviours
{
    /// <summary>Gets all behaviours.</summary>
    public static IReadOnlyList<RunStoreBehaviour> All { get; } =
    [
        .. FindingBehaviours.All,
        .. RecordBehaviours.All,
        .. EndBehaviours.All,
        .. WakeUpBehaviours.All,
        .. RetentionBehaviours.All,
        .. MessageBehaviours.All,
        .. SenderBehaviours.All,
        .. StartBehaviours.All,
    ];

    /// <summary>Returns the behaviour with a name.</summary>
    /// <param name="name">The <see cref="RunStoreBehaviour.Name"/>.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static RunStoreBehaviour Named(string name) =>
        All.FirstOrDefault(behaviour => string.Equals(behaviour.Name, name, StringComparison.Ordinal))
        ?? throw new ArgumentException($"No behaviour is named '{name}'. There are: {string.Join("; ", All)}.", nameof(name));
}
