namespace Perennial;

/// <summary>One message of a stream, as a <see cref="Dialect"/> sees it.</summary>
public readonly ref struct DialectMessage
{
    /// <summary>Initializes a message.</summary>
    /// <param name="eventType">The name of the event, or <see langword="null"/> if it has none.</param>
    /// <param name="data">The data, in UTF-8.</param>
    public DialectMessage(string? eventType, ReadOnlySpan<byte> data)
    {
        EventType = eventType;
        Data = data;
    }

    /// <summary>Gets the name of the event, or <see langword="null"/> if it has none.</summary>
    public string? EventType { get; }

    /// <summary>Gets the data, in UTF-8.</summary>
    public ReadOnlySpan<byte> Data { get; }
}
