using Perennial.Clients.Tests.Node;

namespace Perennial.Clients.Tests.Cells;

/// <summary>How a client shall ask.</summary>
/// <param name="BaseAddress">What the client takes as its base URL.</param>
internal sealed record Ask(Uri BaseAddress)
{
    /// <summary>The process that npm clients run in.</summary>
    public required NodeHost Node { get; init; }

    public bool IsStreamed { get; init; } = true;

    /// <summary>
    /// After which a client that would wait for ever shall give up; null for the client's own limit. Only clients that have such an option
    /// look at it.
    /// </summary>
    public TimeSpan? GivesUpAfter { get; init; }

    /// <summary>To be called for each piece that was read.</summary>
    public required Action Progress { get; init; }
}
