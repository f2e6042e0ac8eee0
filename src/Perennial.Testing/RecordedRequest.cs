using System.Text;

namespace Perennial.Testing;

/// <summary>A request as it arrived at a <see cref="ScriptedServer"/>, body included. Immutable.</summary>
public sealed record RecordedRequest
{
    /// <summary>The method, such as <c>GET</c>.</summary>
    public required string Method { get; init; }

    /// <summary>Path and query, as sent.</summary>
    public required string Target { get; init; }

    /// <summary>
    /// The header values by name, in the order they arrived; names compare without regard to case, and a header sent twice has two values.
    /// </summary>
    public required ILookup<string, string> Headers { get; init; }

    /// <summary>The body, without chunk framing; empty if there was none.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Which connection it came on: 0 for the first the server accepted.</summary>
    public required int ConnectionIndex { get; init; }

    /// <summary>
    /// Which request it is over all connections: 0 for the first, and its place in <see cref="ScriptedServer.Requests"/>.
    /// </summary>
    public int RequestIndex { get; init; }

    /// <summary>The body as UTF-8 text.</summary>
    public string Text => Encoding.UTF8.GetString(Body.Span);

    /// <summary>The values of a header joined by commas, or null if it was not sent.</summary>
    public string? Header(string name) => Headers.Contains(name) ? string.Join(", ", Headers[name]) : null;
}
