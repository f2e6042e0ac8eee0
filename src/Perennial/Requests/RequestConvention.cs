namespace Perennial.Requests;

/// <summary>
/// Specifies how a request carries its id in the payload and how replies are recognized. Requests thus work over every transport that can
/// send, with every server that returns the id. Immutable and thread safe.
/// </summary>
public sealed record RequestConvention
{
    /// <summary>Gets the delegate that makes the message to send.</summary>
    public required RequestWriter Write { get; init; }

    /// <summary>Gets the delegate that recognizes replies. Conventions that read alike should share one delegate.</summary>
    public required ReplyReader Read { get; init; }

    /// <summary>
    /// Gets the default convention. The request is a JSON object to which the member <c>"requestId":"…"</c> is added; a reply is a JSON
    /// object with the same member. <c>"done":true</c> marks the last reply; a stream of replies does not yield it if it has no further
    /// member. <c>"error":"…"</c> or <c>"error":{"message":"…","code":"…"}</c> fails the request.
    /// </summary>
    public static RequestConvention RequestId { get; } = new RequestConvention
    {
        Write = RequestIdConvention.Write,
        Read = RequestIdConvention.Read,
    };

    /// <summary>
    /// Creates a convention for calls by JSON-RPC 2.0. The value is <c>params</c>: an object or an array, or <c>null</c> to omit it. The
    /// reply is <c>result</c>. Each request has one reply (JSON-RPC 2.0 Specification, sections 4 and 5).
    /// </summary>
    /// <param name="method">The method's name.</param>
    /// <exception cref="ArgumentException"><paramref name="method"/> is empty.</exception>
    public static RequestConvention JsonRpc(string method)
    {
        ArgumentException.ThrowIfNullOrEmpty(method);
        return new RequestConvention { Write = (id, value) => JsonRpcConvention.Write(method, id, value), Read = JsonRpcConvention.Read };
    }
}

/// <summary>Creates the message that is sent for a request.</summary>
/// <param name="id">
/// The id of the request: 22 letters and digits, which JSON does not escape. The message and every reply must contain it.
/// </param>
/// <param name="value">The value that the caller sends, in UTF-8 JSON.</param>
/// <returns>The message, in UTF-8 JSON.</returns>
/// <exception cref="ArgumentException">The convention cannot carry this value.</exception>
public delegate ReadOnlyMemory<byte> RequestWriter(string id, ReadOnlySpan<byte> value);

/// <summary>
/// Reads a message, and returns whether it is a reply. The transport calls it while it reads from the network, only for messages that
/// contain the id of a request in quotes. It must not throw.
/// </summary>
/// <param name="message">The message.</param>
/// <param name="reply">The content of the reply, if the message is one.</param>
/// <returns><see langword="true"/> if the message is a reply. The transport finds the request by <see cref="ReplyContent.Id"/>.</returns>
public delegate bool ReplyReader(in StreamMessage message, out ReplyContent reply);
