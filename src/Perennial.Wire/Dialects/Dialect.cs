namespace Perennial;

/// <summary>
/// The streaming format of an AI provider, on top of server-sent events or JSON lines: how a stream shows that it is complete, and how it
/// fails. A response that ends without the format's own end is not complete. Immutable and thread safe.
/// </summary>
/// <remarks>Derive from this class to describe another format. Members are called on the reading path: they must be fast and must not throw.</remarks>
public abstract class Dialect
{
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

    /// <summary>Returns whether the head of a response announces this format. The default is <see langword="false"/>.</summary>
    /// <param name="response">The response. Its body has not been read.</param>
    public virtual bool IsAnnouncedBy(HttpResponseMessage response) => false;

    /// <summary>Returns whether one of the first messages of a stream shows that it has this format. The default is <see langword="false"/>.</summary>
    /// <param name="message">One of the first three messages.</param>
    public virtual bool IsShownBy(in DialectMessage message) => false;

    /// <summary>Returns what a message means for its stream.</summary>
    /// <param name="message">The message.</param>
    public abstract DialectSignal Judge(in DialectMessage message);

    /// <summary>Returns <see cref="Name"/>.</summary>
    public sealed override string ToString() => Name;
}
