namespace Perennial.Requests;

/// <summary>The content of one reply, as a convention reads it from a message.</summary>
public readonly record struct ReplyContent
{
    /// <summary>Gets the id of the request that the reply answers.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the payload for the caller: the whole message or a part of it.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Gets whether this is the last reply to the request.</summary>
    public bool IsLast { get; init; }

    /// <summary>Gets whether the message only marks the end of the replies. A stream of replies does not yield such a message.</summary>
    public bool IsEmpty { get; init; }

    /// <summary>Gets the server's error, which ends the request, or <see langword="null"/>.</summary>
    public RequestError? Error { get; init; }
}

/// <summary>The server's error for a failed request. It is payload and may contain anything.</summary>
public sealed record RequestError
{
    /// <summary>Gets the message, or <see langword="null"/> if the server gave none.</summary>
    public string? Message { get; init; }

    /// <summary>Gets the code for programs, or <see langword="null"/> if the server gave none.</summary>
    public string? Code { get; init; }

    /// <summary>Returns whether there are a message and a code, but not their values. Safe to log.</summary>
    public override string ToString() =>
        $"{nameof(RequestError)} {{ has message = {Message is not null}, has code = {Code is not null} }}";
}
