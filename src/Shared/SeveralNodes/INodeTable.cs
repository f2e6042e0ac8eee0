using Perennial.AspNetCore.Stores;

namespace Perennial.SeveralNodes;

/// <summary>The nodes in the database that they share, each with a number that it increments while it is alive.</summary>
internal interface INodeTable
{
    /// <summary>Increments the number of a node, which is added if it is not there.</summary>
    /// <exception cref="RunStoreException">The database cannot be reached.</exception>
    Task RegisterAsync(Guid node, CancellationToken cancellationToken);

    /// <summary>Increments the number of a node, and returns the numbers of all nodes.</summary>
    /// <exception cref="RunStoreException">The database cannot be reached.</exception>
    Task<Dictionary<Guid, long>> BeatAsync(Guid node, CancellationToken cancellationToken);

    /// <summary>
    /// Removes a node, ends its open runs as lost, and frees the keys of its starts without a run. Does nothing if the number of the node
    /// is another. Returns the runs.
    /// </summary>
    /// <exception cref="RunStoreException">The database cannot be reached.</exception>
    Task<IReadOnlyList<long>> EndAllAsync(Guid node, long? beat, CancellationToken cancellationToken);
}
