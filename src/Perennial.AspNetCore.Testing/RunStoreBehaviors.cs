namespace Perennial.AspNetCore.Testing;

/// <summary>
/// The behaviors that every store of runs must show. Run each with a harness of its own, as a case of any test framework.
/// </summary>
/// <example>
/// <code>
/// public static IEnumerable&lt;string&gt; Names => RunStoreBehaviors.All.Select(behavior => behavior.Name);
///
/// // once for each name
/// await using var harness = new MyHarness();
/// await RunStoreBehaviors.Named(name).RunAsync(harness, cancellationToken);
/// </code>
/// </example>
/// <remarks>
/// What a store does when a node or its database is gone cannot be shown by any harness and is left to the store's own tests.
/// </remarks>
public static class RunStoreBehaviors
{
    /// <summary>Gets all behaviors.</summary>
    public static IReadOnlyList<RunStoreBehavior> All { get; } =
    [
        .. FindingBehaviors.All,
        .. ListingBehaviors.All,
        .. RecordBehaviors.All,
        .. EndBehaviors.All,
        .. WakeUpBehaviors.All,
        .. RetentionBehaviors.All,
        .. MessageBehaviors.All,
        .. SenderBehaviors.All,
        .. StartBehaviors.All,
    ];

    /// <summary>Returns the behavior with a name.</summary>
    /// <param name="name">The <see cref="RunStoreBehavior.Name"/>.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static RunStoreBehavior Named(string name) =>
        All.FirstOrDefault(behavior => string.Equals(behavior.Name, name, StringComparison.Ordinal))
        ?? throw new ArgumentException($"No behavior is named '{name}'. There are: {string.Join("; ", All)}.", nameof(name));
}
