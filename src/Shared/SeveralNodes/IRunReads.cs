using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.SeveralNodes;

/// <summary>Reads runs in the database that the nodes share. Safe from any thread.</summary>
internal interface IRunReads
{
    /// <summary>Reads the state of a run; null if it is no longer kept.</summary>
    /// <param name="key">The run.</param>
    /// <param name="seen">
    /// The newest sequence that this node has seen. If the database can lose what it has confirmed, and has less, it ends the run.
    /// </param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="RunStoreException">The database cannot be reached.</exception>
    Task<RunState?> StateAsync(RunKey key, long seen, CancellationToken cancellationToken);

    /// <summary>Reads the records between two sequences, both excluded, up to about a number of bytes, with 64 for each record.</summary>
    /// <param name="key">The run.</param>
    /// <param name="seen">As for <see cref="StateAsync"/>.</param>
    /// <param name="after">The sequence before the first record.</param>
    /// <param name="before">The sequence after the last record.</param>
    /// <param name="maxBytes">The bytes after which no further record is returned.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="RunStoreException">The database cannot be reached, or the run is no longer kept.</exception>
    Task<RunSlice> PageAsync(RunKey key, long seen, long after, long before, int maxBytes, CancellationToken cancellationToken);
}
