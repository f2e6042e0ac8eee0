namespace Perennial;

/// <summary>An event that a <see cref="Dialect"/> makes up, such as its end. Immutable.</summary>
public readonly record struct DialectEvent
{
    /// <summary>Gets the name of the event. <see langword="null"/>, the default, for none.</summary>
    public string? EventType { get; init; }

    /// <summary>Gets the data, in UTF-8. It must be one line, unless <see cref="IsBare"/> is set.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>
    /// Gets whether the data is written into the response as it is, without the fields of an event, and flushed on its own. Default
    /// <see langword="false"/>.
    /// </summary>
    public bool IsBare { get; init; }
}
