namespace Perennial.Auto;

/// <summary>The state of one attempt: the protocols that are left to try, and why others were skipped. Performs no I/O.</summary>
/// <param name="order">The protocols, in the order in which to try them.</param>
/// <param name="opener">Determines which protocols can be tried now.</param>
/// <param name="passedOver">Failures of protocols that are known from earlier connections.</param>
internal sealed class ProtocolSearch(IEnumerable<AutoProtocol> order, ProtocolOpener opener, IEnumerable<ProtocolFailure> passedOver)
{
    private readonly List<AutoProtocol> _left = [.. order];
    private readonly List<ProtocolFailure> _failures = [.. passedOver];

    public IReadOnlyList<ProtocolFailure> Failures => _failures;

    /// <summary>Whether a protocol is left to try.</summary>
    public bool HasMore => _left.Exists(opener.CanOpen);

    /// <summary>Whether another protocol could be tried without repeating a request that must not be repeated.</summary>
    public bool HasAlternative => opener.IsRead && _left.Count(opener.CanOpen) > 1;

    /// <summary>
    /// Returns the protocol to request next. If SSE and HTTP stream are neighbors, returns both, for one request in which the server
    /// chooses.
    /// </summary>
    public IReadOnlyList<AutoProtocol> Next()
    {
        var next = _left.Where(opener.CanOpen).Take(2).ToArray();
        return next.All(static protocol => protocol is AutoProtocol.Sse or AutoProtocol.HttpStream) ? next : next[..1];
    }

    /// <summary>
    /// Skips protocols that failed: the one that the server chose, or all requested ones if it chose none. A proxy that held back the whole
    /// response would do so for either.
    /// </summary>
    /// <param name="asked">The requested protocols.</param>
    /// <param name="chosen">The protocol that the server chose, if it responded with a stream.</param>
    /// <param name="reason">The reason for skipping.</param>
    /// <param name="error">The error.</param>
    /// <returns>The skipped protocols.</returns>
    public IReadOnlyList<ProtocolFailure> PassOver(
        IReadOnlyList<AutoProtocol> asked, AutoProtocol? chosen, FallbackReason reason, TransportException error)
    {
        var failures = (chosen is { } one ? [one] : asked).Select(protocol => new ProtocolFailure
        {
            Protocol = protocol,
            Reason = reason,
            Error = error,
        }).ToArray();
        foreach (var failure in failures)
        {
            _left.Remove(failure.Protocol);
        }

        _failures.AddRange(failures);
        return failures;
    }

    /// <summary>
    /// Returns the error that ends the attempt: the last error itself, or, if protocols were skipped before, an error that lists the
    /// failure of each.
    /// </summary>
    /// <param name="last">The last error.</param>
    /// <param name="asked">The protocols that met the error. None if the error is already among <see cref="Failures"/>.</param>
    public TransportException Error(TransportException last, params IReadOnlyList<AutoProtocol> asked)
    {
        var seen = _failures.Select(static failure => (failure.Protocol, failure.Error))
            .Concat(asked.Select(protocol => (Protocol: protocol, Error: last)))
            .GroupBy(static each => each.Error, ReferenceEqualityComparer.Instance)
            .ToArray();
        if (seen.Length == 1)
        {
            return last;
        }

        var story = seen.Select(
            static group => $"{string.Join(" and ", group.Select(static each => each.Protocol))}: {group.First().Error.Message}");
        var isTransient = asked.Count > 0 ? last.IsTransient : _failures.Exists(static failure => failure.Error.IsTransient);
        return last.About($"No protocol got through. {string.Join(" ", story)}", isTransient);
    }
}
