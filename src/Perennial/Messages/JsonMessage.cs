namespace Perennial;

/// <summary>A message parsed as JSON, with what came beside its payload. A small value; it may be kept and read from any thread.</summary>
/// <typeparam name="T">What the payload describes.</typeparam>
public readonly record struct JsonMessage<T>
{
    private readonly StreamMessage _message;

    internal JsonMessage(T? value, in StreamMessage message)
    {
        Value = value;
        _message = message;
    }

    /// <summary>Gets the parsed payload; <see langword="null"/> where it is the JSON literal <c>null</c>.</summary>
    public T? Value { get; }

    /// <inheritdoc cref="StreamMessage.Id"/>
    public string? Id => _message.Id;

    /// <inheritdoc cref="StreamMessage.EventType"/>
    public string EventType => _message.EventType;

    /// <inheritdoc cref="StreamMessage.FollowsGap"/>
    public bool FollowsGap => _message.FollowsGap;

    /// <summary>The event type and the size, never the payload: safe to log.</summary>
    public override string ToString() => _message.ToString();
}
