namespace Perennial.Requests;

/// <summary>
/// How a request carries its id in its payload and how a message is known to be a reply, so that requests work over every transport that
/// can send, with any server that returns the id. Immutable; safe to share.
/// </summary>
/// <param name="Write">Makes the message that is sent.</param>
/// <param name="Read">Recognises replies. Conventions that read alike should share one delegate.</param>
public sealed record RequestConvention(RequestWriter Write, ReplyReader Read)
{
    /// <summary>
    /// The default. The request is a JSON object to which <c>"requestId":"…"</c> is added; a reply is a JSON object with the same
    /// member. <c>"done":true</c> marks the last reply, which is not delivered in a stream when it has no further member.
    /// <c>"error":"…"</c> or <c>"error":{"message":"…","code":"…"}</c> fails the request.
    /// </summary>
    public static RequestConvention RequestId { get; } = new(RequestIdConvention.Write, RequestIdConvention.Read);

    /// <summary>
    /// A call by JSON-RPC 2.0: the value is <c>params</c>, an object or an array, or <c>null</c> to leave it out; the reply is
    /// <c>result</c>. Each request has one reply (JSON-RPC 2.0 Specification, 4 and 5).
    /// </summary>
    /// <param name="method">The method's name.</param>
    /// <exception cref="ArgumentException"><paramref name="method"/> is empty.</exception>
    public static RequestConvention JsonRpc(string method)
    {
        ArgumentException.ThrowIfNullOrEmpty(method);
        return new RequestConvention((id, value) => JsonRpcConvention.Write(method, id, value), JsonRpcConvention.Read);
    }
}

/// <summary>Makes the message that is sent for a request.</summary>
/// <param name="id">Names the request: 22 letters and digits, which stand for themselves in JSON. The message must hold it, and so must every reply.</param>
/// <param name="value">What the caller asks, in UTF-8 JSON.</param>
/// <returns>The message, in UTF-8 JSON.</returns>
/// <exception cref="ArgumentException">The convention has no way to carry this value.</exception>
public delegate ReadOnlyMemory<byte> RequestWriter(string id, ReadOnlySpan<byte> value);

/// <summary>
/// Says whether a message is a reply and what it carries. Called on the reading path, but only with messages that hold the id of a
/// request in quotes; it must not throw.
/// </summary>
/// <param name="message">The message.</param>
/// <param name="reply">The reply.</param>
/// <returns>Whether it is one. Which request it belongs to, if any, is found by <see cref="ReplyContent.Id"/>.</returns>
public delegate bool ReplyReader(in StreamMessage message, out ReplyContent reply);
