using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Perennial.Requests;

namespace Perennial;

/// <summary>
/// Extension methods that send requests and receive their replies over any transport that can send. An id in the payload links replies to
/// their request (<see cref="RequestConvention"/>). <see cref="Transport.ReadAllAsync"/> and <see cref="Transport.MessageReceived"/> do not
/// deliver replies. Thread safe.
/// </summary>
/// <remarks>
/// <para>Replies arrive in the transport's own stream, in its order. While the transport is paused, or while its buffer is full because the
/// application does not read the other messages, replies wait too. If the server numbers its messages, replies survive lost connections
/// like any message.</para>
/// <para>A request fails with a <see cref="TransportException"/> with one of these codes:
/// <see cref="TransportErrorCode.RequestFailed"/> if the server answered with an error, <see cref="TransportErrorCode.ReplyTimeout"/>,
/// <see cref="TransportErrorCode.ReplyLost"/> if the reply may be lost with a connection, <see cref="TransportErrorCode.NotConnected"/>
/// if the stream ended, <see cref="TransportErrorCode.TooManyRequests"/>, or the code of a failed send.
/// <see cref="TransportException.Delivery"/> specifies whether the server may have received the request. A request is sent again only
/// in the cases in which a send is repeated.</para>
/// <para>A reply that arrives after its request was cancelled or failed is dropped and counted
/// (<see cref="TransportMetrics.LateReplies"/>).</para>
/// </remarks>
public static class TransportRequests
{
    /// <summary>Sends a request and waits for one reply. Connects on first use.</summary>
    /// <param name="transport">The transport.</param>
    /// <param name="json">The request. With the default convention, a JSON object without a member <c>requestId</c>.</param>
    /// <param name="options">The options. <see langword="null"/> uses the defaults.</param>
    /// <param name="cancellationToken">Cancels the request. A request that has not left yet is not sent.</param>
    /// <returns>The reply as it arrived, or the part of it that the convention selects.</returns>
    /// <exception cref="ArgumentException">
    /// The request does not fit the convention or is too large, or an option is out of range.
    /// </exception>
    /// <exception cref="TransportException">The request failed; see the remarks on <see cref="TransportRequests"/>.</exception>
    /// <exception cref="NotSupportedException">The protocol cannot send.</exception>
    public static Task<StreamMessage> RequestAsync(
        this Transport transport, string json, RequestOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(json);
        return AskAsync(transport, Encoding.UTF8.GetBytes(json), options, cancellationToken);
    }

    /// <summary>
    /// Sends a value as JSON and waits for one reply. Otherwise behaves like
    /// <see cref="RequestAsync(Transport, string, RequestOptions?, CancellationToken)"/>.
    /// </summary>
    /// <typeparam name="TRequest">The type of the request.</typeparam>
    /// <typeparam name="TReply">The type of the reply.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The request. With the default convention, a value that is serialized to a JSON object.</param>
    /// <param name="requestTypeInfo">The source-generated contract of <typeparamref name="TRequest"/>.</param>
    /// <param name="replyTypeInfo">The source-generated contract of <typeparamref name="TReply"/>.</param>
    /// <param name="options">The options. <see langword="null"/> uses the defaults.</param>
    /// <param name="cancellationToken">Cancels the request. A request that has not left yet is not sent.</param>
    /// <exception cref="TransportException">
    /// As for the other overload. Also with <see cref="TransportErrorCode.InvalidMessage"/> if the reply cannot be deserialized.
    /// </exception>
    public static async Task<TReply?> RequestAsync<TRequest, TReply>(
        this Transport transport,
        TRequest value,
        JsonTypeInfo<TRequest> requestTypeInfo,
        JsonTypeInfo<TReply> replyTypeInfo,
        RequestOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(replyTypeInfo);
        var json = JsonSerializer.SerializeToUtf8Bytes(value, requestTypeInfo);
        return Parse(await AskAsync(transport, json, options, cancellationToken).ConfigureAwait(false), replyTypeInfo);
    }

    /// <summary>
    /// Sends a value as JSON, by reflection, and waits for one reply. Otherwise behaves like
    /// <see cref="RequestAsync(Transport, string, RequestOptions?, CancellationToken)"/>.
    /// </summary>
    /// <typeparam name="TRequest">The type of the request.</typeparam>
    /// <typeparam name="TReply">The type of the reply.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The request. With the default convention, a value that is serialized to a JSON object.</param>
    /// <param name="json">The JSON options. <see langword="null"/> uses <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="options">The options. <see langword="null"/> uses the defaults.</param>
    /// <param name="cancellationToken">Cancels the request. A request that has not left yet is not sent.</param>
    /// <exception cref="TransportException">As for the overload with contracts.</exception>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public static Task<TReply?> RequestAsync<TRequest, TReply>(
        this Transport transport,
        TRequest value,
        JsonSerializerOptions? json = null,
        RequestOptions? options = null,
        CancellationToken cancellationToken = default) =>
        transport.RequestAsync(value, JsonContract.Of<TRequest>(json), JsonContract.Of<TReply>(json), options, cancellationToken);

    /// <summary>
    /// Sends a request when the sequence is first read, and yields its replies, each once and in order, up to the last one. Leaving the
    /// loop cancels the request. Each loop sends a request of its own.
    /// </summary>
    /// <param name="transport">The transport.</param>
    /// <param name="json">The request. With the default convention, a JSON object without a member <c>requestId</c>.</param>
    /// <param name="options">The options. <see langword="null"/> uses the defaults.</param>
    /// <param name="cancellationToken">Cancels the request. A request that has not left yet is not sent.</param>
    /// <exception cref="ArgumentException">
    /// While reading: the request does not fit the convention or is too large, or an option is out of range.
    /// </exception>
    /// <exception cref="TransportException">
    /// While reading, after the replies that arrived: the request failed; see the remarks on <see cref="TransportRequests"/>.
    /// </exception>
    /// <exception cref="NotSupportedException">While reading: the protocol cannot send.</exception>
    public static IAsyncEnumerable<StreamMessage> RequestStreamAsync(
        this Transport transport, string json, RequestOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(json);
        return AskForManyAsync(transport, Encoding.UTF8.GetBytes(json), options, cancellationToken);
    }

    /// <summary>
    /// Sends a value as JSON and yields its replies, deserialized. Otherwise behaves like
    /// <see cref="RequestStreamAsync(Transport, string, RequestOptions?, CancellationToken)"/>.
    /// </summary>
    /// <typeparam name="TRequest">The type of the request.</typeparam>
    /// <typeparam name="TReply">The type of the replies.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The request. With the default convention, a value that is serialized to a JSON object.</param>
    /// <param name="requestTypeInfo">The source-generated contract of <typeparamref name="TRequest"/>.</param>
    /// <param name="replyTypeInfo">The source-generated contract of <typeparamref name="TReply"/>.</param>
    /// <param name="options">The options. <see langword="null"/> uses the defaults.</param>
    /// <param name="cancellationToken">Cancels the request. A request that has not left yet is not sent.</param>
    /// <exception cref="TransportException">
    /// As for the other overload. Also with <see cref="TransportErrorCode.InvalidMessage"/> if a reply cannot be deserialized, which also
    /// cancels the request.
    /// </exception>
    public static async IAsyncEnumerable<TReply?> RequestStreamAsync<TRequest, TReply>(
        this Transport transport,
        TRequest value,
        JsonTypeInfo<TRequest> requestTypeInfo,
        JsonTypeInfo<TReply> replyTypeInfo,
        RequestOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(replyTypeInfo);
        var json = JsonSerializer.SerializeToUtf8Bytes(value, requestTypeInfo);
        await foreach (var reply in AskForManyAsync(transport, json, options, cancellationToken).ConfigureAwait(false))
        {
            yield return Parse(reply, replyTypeInfo);
        }
    }

    /// <summary>
    /// Sends a value as JSON, by reflection, and yields its replies, deserialized. Otherwise behaves like
    /// <see cref="RequestStreamAsync(Transport, string, RequestOptions?, CancellationToken)"/>.
    /// </summary>
    /// <typeparam name="TRequest">The type of the request.</typeparam>
    /// <typeparam name="TReply">The type of the replies.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The request. With the default convention, a value that is serialized to a JSON object.</param>
    /// <param name="json">The JSON options. <see langword="null"/> uses <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="options">The options. <see langword="null"/> uses the defaults.</param>
    /// <param name="cancellationToken">Cancels the request. A request that has not left yet is not sent.</param>
    /// <exception cref="TransportException">As for the overload with contracts.</exception>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public static IAsyncEnumerable<TReply?> RequestStreamAsync<TRequest, TReply>(
        this Transport transport,
        TRequest value,
        JsonSerializerOptions? json = null,
        RequestOptions? options = null,
        CancellationToken cancellationToken = default) =>
        transport.RequestStreamAsync(value, JsonContract.Of<TRequest>(json), JsonContract.Of<TReply>(json), options, cancellationToken);

    private static async Task<StreamMessage> AskAsync(
        Transport transport, byte[] json, RequestOptions? options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var request = transport.Request(json, options ?? RequestOptions.Default, isSingle: true);
        return (await request.NextAsync(cancellationToken).ConfigureAwait(false))!.Value;
    }

    private static async IAsyncEnumerable<StreamMessage> AskForManyAsync(
        Transport transport, byte[] json, RequestOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var request = transport.Request(json, options ?? RequestOptions.Default, isSingle: false);
        while (await request.NextAsync(cancellationToken).ConfigureAwait(false) is { } reply)
        {
            yield return reply;
        }
    }

    private static TReply? Parse<TReply>(StreamMessage reply, JsonTypeInfo<TReply> typeInfo)
    {
        try
        {
            return reply.Deserialize(typeInfo);
        }
        catch (JsonException e)
        {
            throw new TransportException(
                TransportErrorCode.InvalidMessage,
                $"A reply of {reply.Data.Length} bytes is not a JSON {typeof(TReply).Name}.",
                innerException: e);
        }
    }
}
