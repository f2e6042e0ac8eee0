using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Perennial.Requests;

namespace Perennial;

/// <summary>
/// Requests and their replies over any transport that can send. Replies are known by an id in their payload
/// (<see cref="RequestConvention"/>), go to their request alone, and never to <see cref="Transport.ReadAllAsync"/> or
/// <see cref="Transport.MessageReceived"/>.
/// </summary>
/// <remarks>
/// <para>Replies travel in the transport's own stream, in its order: while the transport is paused, or its buffer full because nobody
/// reads the other messages, replies wait too. Where the server numbers its messages, replies survive lost connections like any message.</para>
/// <para>A request ends with a <see cref="TransportException"/> whose code is <see cref="TransportErrorCode.RequestFailed"/> where the
/// server says so, <see cref="TransportErrorCode.ReplyTimeout"/>, <see cref="TransportErrorCode.ReplyLost"/> where a lost connection may
/// have taken the reply with it, <see cref="TransportErrorCode.NotConnected"/> where the stream ended,
/// <see cref="TransportErrorCode.TooManyRequests"/>, or what a failed send ends with. <see cref="TransportException.Delivery"/> says
/// whether the server may have the request. Nothing is ever sent twice on a request's behalf but what a send may repeat.</para>
/// <para>A reply that comes after its request was given up is dropped and counted (<see cref="TransportMetrics.LateReplies"/>). All
/// members are thread safe.</para>
/// </remarks>
public static class TransportRequests
{
    /// <summary>Sends a request and waits for one reply; connects on first use.</summary>
    /// <param name="transport">The transport.</param>
    /// <param name="json">The request; by the default convention, a JSON object without a member <c>requestId</c>.</param>
    /// <param name="options">Timeout and convention; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Gives the request up; what is not sent yet stays here.</param>
    /// <returns>The reply as it came; by another convention, the part of it that is the answer.</returns>
    /// <exception cref="ArgumentException">The request does not fit the convention or is too large, or an option is out of range.</exception>
    /// <exception cref="TransportException">There will be no reply; see the remarks on <see cref="TransportRequests"/>.</exception>
    /// <exception cref="NotSupportedException">The protocol cannot send.</exception>
    public static Task<StreamMessage> RequestAsync(
        this Transport transport, string json, RequestOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(json);
        return AskAsync(transport, Encoding.UTF8.GetBytes(json), options, cancellationToken);
    }

    /// <summary>Sends a value as JSON and waits for one reply. Like <see cref="RequestAsync(Transport, string, RequestOptions?, CancellationToken)"/> in everything else.</summary>
    /// <typeparam name="TRequest">What is asked.</typeparam>
    /// <typeparam name="TReply">What the reply describes.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The request; by the default convention, something that becomes a JSON object.</param>
    /// <param name="requestTypeInfo">The source-generated contract of <typeparamref name="TRequest"/>.</param>
    /// <param name="replyTypeInfo">The source-generated contract of <typeparamref name="TReply"/>.</param>
    /// <param name="options">Timeout and convention; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Gives the request up; what is not sent yet stays here.</param>
    /// <exception cref="TransportException">
    /// As for the other overload; and with <see cref="TransportErrorCode.InvalidMessage"/> for a reply that does not fit.
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

    /// <summary>Sends a value as JSON, by reflection, and waits for one reply. Like <see cref="RequestAsync(Transport, string, RequestOptions?, CancellationToken)"/> in everything else.</summary>
    /// <typeparam name="TRequest">What is asked.</typeparam>
    /// <typeparam name="TReply">What the reply describes.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The request; by the default convention, something that becomes a JSON object.</param>
    /// <param name="json">How JSON is written and read; <see langword="null"/> for <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="options">Timeout and convention; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Gives the request up; what is not sent yet stays here.</param>
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
    /// Sends a request when the sequence is first read, and yields its replies, each once and in order, until the one that says it is the
    /// last. Leaving the loop gives the request up. Each loop is a request of its own.
    /// </summary>
    /// <param name="transport">The transport.</param>
    /// <param name="json">The request; by the default convention, a JSON object without a member <c>requestId</c>.</param>
    /// <param name="options">Timeout between replies, convention and bound of what waits; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Gives the request up; what is not sent yet stays here.</param>
    /// <exception cref="ArgumentException">While reading: the request does not fit the convention or is too large, or an option is out of range.</exception>
    /// <exception cref="TransportException">While reading, after the replies that came: why there are no more; see the remarks on <see cref="TransportRequests"/>.</exception>
    /// <exception cref="NotSupportedException">While reading: the protocol cannot send.</exception>
    public static IAsyncEnumerable<StreamMessage> RequestStreamAsync(
        this Transport transport, string json, RequestOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(json);
        return AskForManyAsync(transport, Encoding.UTF8.GetBytes(json), options, cancellationToken);
    }

    /// <summary>
    /// Sends a value as JSON and yields its replies, parsed. Like
    /// <see cref="RequestStreamAsync(Transport, string, RequestOptions?, CancellationToken)"/> in everything else.
    /// </summary>
    /// <typeparam name="TRequest">What is asked.</typeparam>
    /// <typeparam name="TReply">What each reply describes.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The request; by the default convention, something that becomes a JSON object.</param>
    /// <param name="requestTypeInfo">The source-generated contract of <typeparamref name="TRequest"/>.</param>
    /// <param name="replyTypeInfo">The source-generated contract of <typeparamref name="TReply"/>.</param>
    /// <param name="options">Timeout between replies, convention and bound of what waits; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Gives the request up; what is not sent yet stays here.</param>
    /// <exception cref="TransportException">
    /// As for the other overload; and with <see cref="TransportErrorCode.InvalidMessage"/> for a reply that does not fit, which gives the
    /// request up.
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
    /// Sends a value as JSON and yields its replies, parsed, both by reflection. Like
    /// <see cref="RequestStreamAsync(Transport, string, RequestOptions?, CancellationToken)"/> in everything else.
    /// </summary>
    /// <typeparam name="TRequest">What is asked.</typeparam>
    /// <typeparam name="TReply">What each reply describes.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The request; by the default convention, something that becomes a JSON object.</param>
    /// <param name="json">How JSON is written and read; <see langword="null"/> for <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="options">Timeout between replies, convention and bound of what waits; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Gives the request up; what is not sent yet stays here.</param>
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

    private static async Task<StreamMessage> AskAsync(Transport transport, byte[] json, RequestOptions? options, CancellationToken cancellationToken)
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
                TransportErrorCode.InvalidMessage, $"A reply of {reply.Data.Length} bytes is not a JSON {typeof(TReply).Name}.", innerException: e);
        }
    }
}
