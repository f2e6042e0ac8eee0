using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Perennial.Engine;

namespace Perennial;

/// <summary>Extension methods that read and send messages of a <see cref="Transport"/> as JSON.</summary>
public static class TransportJson
{
    /// <summary>Reads the messages, deserialized from JSON. Otherwise behaves like <see cref="Transport.ReadAllAsync"/>.</summary>
    /// <typeparam name="T">The type of the messages.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    /// <param name="cancellationToken">Cancels the reading. The transport stays open.</param>
    /// <exception cref="TransportException">
    /// As for <see cref="Transport.ReadAllAsync"/>. Also with <see cref="TransportErrorCode.InvalidMessage"/> if a message cannot be
    /// deserialized; another loop then continues with the next message.
    /// </exception>
    public static IAsyncEnumerable<T?> ReadJsonAsync<T>(
        this Transport transport, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(typeInfo);
        return new JsonReader<T>(transport.ReadAllAsync(cancellationToken), typeInfo);
    }

    /// <summary>
    /// Reads the messages, deserialized from JSON, each with its id and event type. Otherwise behaves like
    /// <see cref="Transport.ReadAllAsync"/>.
    /// </summary>
    /// <typeparam name="T">The type of the messages.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    /// <param name="cancellationToken">Cancels the reading. The transport stays open.</param>
    /// <exception cref="TransportException">
    /// As for <see cref="ReadJsonAsync{T}(Transport, JsonTypeInfo{T}, CancellationToken)"/>.
    /// </exception>
    public static IAsyncEnumerable<JsonMessage<T>> ReadJsonMessagesAsync<T>(
        this Transport transport, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(typeInfo);
        return new JsonReader<T>(transport.ReadAllAsync(cancellationToken), typeInfo);
    }

    /// <summary>
    /// Reads the messages, deserialized from JSON by reflection. Otherwise behaves like <see cref="Transport.ReadAllAsync"/>.
    /// </summary>
    /// <typeparam name="T">The type of the messages.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="options">The JSON options. <see langword="null"/> uses <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="cancellationToken">Cancels the reading. The transport stays open.</param>
    /// <exception cref="TransportException">
    /// As for <see cref="ReadJsonAsync{T}(Transport, JsonTypeInfo{T}, CancellationToken)"/>.
    /// </exception>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public static IAsyncEnumerable<T?> ReadJsonAsync<T>(
        this Transport transport, JsonSerializerOptions? options = null, CancellationToken cancellationToken = default) =>
        transport.ReadJsonAsync(JsonContract.Of<T>(options), cancellationToken);

    /// <summary>
    /// Reads the messages, deserialized from JSON by reflection, each with its id and event type. Otherwise behaves like
    /// <see cref="Transport.ReadAllAsync"/>.
    /// </summary>
    /// <typeparam name="T">The type of the messages.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="options">The JSON options. <see langword="null"/> uses <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="cancellationToken">Cancels the reading. The transport stays open.</param>
    /// <exception cref="TransportException">
    /// As for <see cref="ReadJsonAsync{T}(Transport, JsonTypeInfo{T}, CancellationToken)"/>.
    /// </exception>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public static IAsyncEnumerable<JsonMessage<T>> ReadJsonMessagesAsync<T>(
        this Transport transport, JsonSerializerOptions? options = null, CancellationToken cancellationToken = default) =>
        transport.ReadJsonMessagesAsync(JsonContract.Of<T>(options), cancellationToken);

    /// <summary>Sends a value as JSON. See <see cref="Transport.SendAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    /// <typeparam name="T">The type of the message.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The message.</param>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    /// <param name="cancellationToken">Cancels the send if the message has not left yet; otherwise stops waiting for its outcome.</param>
    public static Task<SendOutcome> SendJsonAsync<T>(
        this Transport transport, T value, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default) =>
        (transport ?? throw new ArgumentNullException(nameof(transport))).SendJsonAsync(
            JsonSerializer.SerializeToUtf8Bytes(value, typeInfo), cancellationToken);

    /// <summary>
    /// Sends a value as JSON, by reflection. See <see cref="Transport.SendAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.
    /// </summary>
    /// <typeparam name="T">The type of the message.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The message.</param>
    /// <param name="options">The JSON options. <see langword="null"/> uses <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="cancellationToken">Cancels the send if the message has not left yet; otherwise stops waiting for its outcome.</param>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public static Task<SendOutcome> SendJsonAsync<T>(
        this Transport transport, T value, JsonSerializerOptions? options = null, CancellationToken cancellationToken = default) =>
        transport.SendJsonAsync(value, JsonContract.Of<T>(options), cancellationToken);
}
