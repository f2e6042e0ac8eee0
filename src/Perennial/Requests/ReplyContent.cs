namespace Perennial.Requests;

/// <summary>One reply, as a convention reads it.</summary>
public readonly record struct ReplyContent
{
    /// <summary>The id of the request it answers.</summary>
    public required string Id { get; init; }

    /// <summary>What the caller gets: all of the message, or a part of it.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Whether no other reply to the same request follows.</summary>
    public bool IsLast { get; init; }

    /// <summary>Whether it says no more than that it is the last: a stream of replies ends without it.</summary>
    public bool IsEmpty { get; init; }

    /// <summary>The server's error, which ends the request; else <see langword="null"/>.</summary>
    public RequestError? Error { get; init; }
}

/// <summary>What a server says of a request that failed. It is payload, and may hold anything.</summary>
/// <param name="Message">In words; <see langword="null"/> where it says none.</param>
/// <param name="Code">For programs; <see langword="null"/> where it has none.</param>
public sealed record RequestError(string? Message, string? Code)
{
    /// <summary>Whether there is a message and a code, and neither of them: safe to log.</summary>
    public override string ToString() =>
        $"{nameof(RequestError)} {{ has message = {Message is not null}, has code = {Code is not null} }}";
}
