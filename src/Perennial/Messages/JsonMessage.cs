namespace Perennial;

/// <summary>
/// A message whose payload is deserialized from JSON, with its id and event type. A small value that may be kept, and read from any thread.
/// </summary>
/// <typeparam name="T">The type of the payload.</typeparam>
public readonly record struct JsonMessage<T>
{
    private readonly StreamMessage _message;

    internal JsonMessage(T? value, in StreamMessage message)
    {
        Value = value;
        _message = message;
    }

    /// <summary>Gets the deserialized payload. <see langword="null"/> if it is the JSON literal <c>null</c>.</summary>
    public T? Value { get; }

    /// <inheritdoc cref="StreamMessage.Id"/>
    public string? Id => _message.Id;

    /// <inheritdoc cref="StreamMessage.EventType"/>
    public string EventType => _message.EventType;

    /// <inheritdoc cref="StreamMessage.FollowsGap"/>
    public bool FollowsGap => _message.FollowsGap;

    /// <summary>Returns the event type and the size, not the payload. Safe to log.</summary>
    public override string ToString() => _message.ToString();
}
