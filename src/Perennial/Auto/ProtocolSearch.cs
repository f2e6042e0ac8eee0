namespace Perennial.Auto;

/// <summary>One attempt: which protocols are left to try, and why others were passed over. Touches no I/O.</summary>
/// <param name="order">The protocols, the one to try first in front.</param>
/// <param name="opener">Says which of them can be tried at the moment.</param>
/// <param name="passedOver">What is known against some of them from before.</param>
internal sealed class ProtocolSearch(IEnumerable<AutoProtocol> order, ProtocolOpener opener, IEnumerable<ProtocolFailure> passedOver)
{
    private readonly List<AutoProtocol> _left = [.. order];
    private readonly List<ProtocolFailure> _failures = [.. passedOver];

    public IReadOnlyList<ProtocolFailure> Failures => _failures;

    /// <summary>Whether there is a protocol to try.</summary>
    public bool HasMore => _left.Exists(opener.CanOpen);

    /// <summary>Whether there would be another one to try without repeating what must not be repeated.</summary>
    public bool HasAlternative => opener.IsRead && _left.Count(opener.CanOpen) > 1;

    /// <summary>
    /// The protocol to ask for; where SSE and HTTP stream are next to each other, both by one request, of which the server chooses one.
    /// </summary>
    public IReadOnlyList<AutoProtocol> Next()
    {
        var next = _left.Where(opener.CanOpen).Take(2).ToArray();
        return next.All(static protocol => protocol is AutoProtocol.Sse or AutoProtocol.HttpStream) ? next : next[..1];
    }

    /// <summary>
    /// Passes over what failed: what the server chose, or all that was asked for where it chose none. One that holds back its whole answer
    /// does so for either.
    /// </summary>
    /// <param name="asked">What was asked for.</param>
    /// <param name="chosen">What the server chose, where it answered by a stream.</param>
    /// <param name="reason">Why it is passed over.</param>
    /// <param name="error">What was seen.</param>
    /// <returns>What is passed over.</returns>
    public IReadOnlyList<ProtocolFailure> PassOver(
        IReadOnlyList<AutoProtocol> asked, AutoProtocol? chosen, FallbackReason reason, TransportException error)
    {
        var failures = (chosen is { } one ? [one] : asked).Select(protocol => new ProtocolFailure(protocol, reason, error)).ToArray();
        foreach (var failure in failures)
        {
            _left.Remove(failure.Protocol);
        }

        _failures.AddRange(failures);
        return failures;
    }

    /// <summary>What an error that ends the attempt says: itself, or where protocols were passed over before, what became of each.</summary>
    /// <param name="last">The error.</param>
    /// <param name="asked">What met it; none where it is among <see cref="Failures"/>.</param>
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

        var story = seen.Select(static group => $"{string.Join(" and ", group.Select(static each => each.Protocol))}: {group.First().Error.Message}");
        var isTransient = asked.Count > 0 ? last.IsTransient : _failures.Exists(static failure => failure.Error.IsTransient);
        return last.About($"No protocol gets through. {string.Join(" ", story)}", isTransient);
    }
}
