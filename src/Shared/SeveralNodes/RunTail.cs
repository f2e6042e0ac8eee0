using Perennial.AspNetCore;

namespace Perennial.SeveralNodes;

/// <summary>The progress of a run.</summary>
/// <param name="Run">Its number.</param>
/// <param name="Status">Its status.</param>
/// <param name="Tail">The sequence of its newest record.</param>
/// <param name="Position">The position of its newest message.</param>
/// <param name="Producer">The number of its producer if that is on this node; otherwise 0.</param>
internal readonly record struct RunTail(long Run, RunStatus Status, long Tail, long Position, int Producer);
