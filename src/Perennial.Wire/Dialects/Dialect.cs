using Perennial.Wire;

namespace Perennial;

/// <summary>
/// The streaming format of an AI provider, on top of server-sent events or JSON lines: how a stream shows that it is complete, and how it
/// fails. A response that ends without the format's own end is not complete. Immutable and thread safe.
/// </summary>
/// <remarks>
/// <para>
/// Derive from this class to describe another format. Members are called while streams are read and sent: they must be fast and must not
/// throw.
/// </para>
/// <para>
/// A client needs the members that recognize and judge. A server (<c>RunOptions.Dialect</c>) also uses <see cref="Judge"/> and the members
/// that describe a response. Their defaults are server-sent events without an end and an error that the server could make up.
/// </para>
/// </remarks>
public abstract class Dialect
{
    private static readonly byte[] Comment = ":\n\n"u8.ToArray();

    /// <summary>Initializes the name.</summary>
    /// <param name="name">The name, in lower case, such as <c>openai-chat</c>.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    protected Dialect(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
    }

    /// <summary>Gets the name, such as <c>openai-chat</c>.</summary>
    public string Name { get; }

    /// <summary>Gets how events follow one another in a response. The default is <see cref="DialectFraming.ServerSentEvents"/>.</summary>
    public virtual DialectFraming Framing => DialectFraming.ServerSentEvents;

    /// <summary>
    /// Gets the <c>Content-Type</c> of a response. The default is <c>application/x-ndjson</c> for JSON lines, and otherwise
    /// <c>text/event-stream</c>.
    /// </summary>
    public virtual string ContentType => Framing == DialectFraming.JsonLines ? MediaTypes.JsonLines : MediaTypes.EventStream;

    /// <summary>Gets further header fields of a response. The default is none.</summary>
    public virtual IReadOnlyDictionary<string, string> ResponseHeaders =>
        System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;

    /// <summary>
    /// Gets the bytes that a server sends to show that the connection is alive. The default is a comment of its own for server-sent events,
    /// and nothing for JSON lines, because clients do not accept blank lines.
    /// </summary>
    public virtual ReadOnlyMemory<byte> Heartbeat => Framing == DialectFraming.JsonLines ? default : Comment;

    /// <summary>Returns whether the head of a response announces this format. The default is <see langword="false"/>.</summary>
    /// <param name="response">The response. Its body has not been read.</param>
    public virtual bool IsAnnouncedBy(HttpResponseMessage response) => false;

    /// <summary>
    /// Returns whether one of the first messages of a stream shows that it has this format. The default is <see langword="false"/>.
    /// </summary>
    /// <param name="message">One of the first three messages.</param>
    public virtual bool IsShownBy(in DialectMessage message) => false;

    /// <summary>Returns what a message means for its stream.</summary>
    /// <param name="message">The message.</param>
    public abstract DialectSignal Judge(in DialectMessage message);

    /// <summary>
    /// Returns the events that make a stream complete if nothing more follows. The default is no event for a complete stream, and otherwise
    /// <see langword="null"/>.
    /// </summary>
    /// <param name="stream">The stream so far.</param>
    /// <returns>
    /// The events; <see langword="null"/> if a server cannot make up an end, because it holds what only the producer knows.
    /// </returns>
    public virtual IReadOnlyList<DialectEvent>? SpellEnd(in DialectProgress stream) => stream.IsComplete ? [] : null;

    /// <summary>
    /// Returns the events that tell a client that a stream failed. The server then aborts the connection. The default is no event: the
    /// client sees only that the connection broke off.
    /// </summary>
    /// <param name="stream">The stream so far.</param>
    /// <param name="message">The reason, for people.</param>
    /// <param name="code">The reason, for programs, such as <c>producer_lost</c>.</param>
    public virtual IReadOnlyList<DialectEvent> SpellFailure(in DialectProgress stream, string message, string code) => [];

    /// <summary>Returns <see cref="Name"/>.</summary>
    public sealed override string ToString() => Name;
}
