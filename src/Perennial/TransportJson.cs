using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Perennial.Engine;

namespace Perennial;

/// <summary>Messages as values: reads and sends JSON over a <see cref="Transport"/>.</summary>
public static class TransportJson
{
    /// <summary>The messages, parsed as JSON. Like <see cref="Transport.ReadAllAsync"/> in everything else.</summary>
    /// <typeparam name="T">What each message describes.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    /// <param name="cancellationToken">Ends the reading, not the transport.</param>
    /// <exception cref="TransportException">
    /// As for <see cref="Transport.ReadAllAsync"/>; and with <see cref="TransportErrorCode.InvalidMessage"/> for a message that does not fit,
    /// after which another loop goes on with the next one.
    /// </exception>
    public static IAsyncEnumerable<T?> ReadJsonAsync<T>(this Transport transport, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(typeInfo);
        return new JsonReader<T>(transport.ReadAllAsync(cancellationToken), typeInfo);
    }

    /// <summary>The messages, parsed as JSON, each with its id and event type. Like <see cref="Transport.ReadAllAsync"/> in everything else.</summary>
    /// <typeparam name="T">What each message describes.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    /// <param name="cancellationToken">Ends the reading, not the transport.</param>
    /// <exception cref="TransportException">As for <see cref="ReadJsonAsync{T}(Transport, JsonTypeInfo{T}, CancellationToken)"/>.</exception>
    public static IAsyncEnumerable<JsonMessage<T>> ReadJsonMessagesAsync<T>(this Transport transport, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(typeInfo);
        return new JsonReader<T>(transport.ReadAllAsync(cancellationToken), typeInfo);
    }

    /// <summary>The messages, parsed as JSON by reflection. Like <see cref="Transport.ReadAllAsync"/> in everything else.</summary>
    /// <typeparam name="T">What each message describes.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="options">How JSON is written and read; <see langword="null"/> for <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="cancellationToken">Ends the reading, not the transport.</param>
    /// <exception cref="TransportException">As for <see cref="ReadJsonAsync{T}(Transport, JsonTypeInfo{T}, CancellationToken)"/>.</exception>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public static IAsyncEnumerable<T?> ReadJsonAsync<T>(this Transport transport, JsonSerializerOptions? options = null, CancellationToken cancellationToken = default) =>
        transport.ReadJsonAsync(JsonContract.Of<T>(options), cancellationToken);

    /// <summary>
    /// The messages, parsed as JSON by reflection, each with its id and event type. Like <see cref="Transport.ReadAllAsync"/> in everything else.
    /// </summary>
    /// <typeparam name="T">What each message describes.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="options">How JSON is written and read; <see langword="null"/> for <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="cancellationToken">Ends the reading, not the transport.</param>
    /// <exception cref="TransportException">As for <see cref="ReadJsonAsync{T}(Transport, JsonTypeInfo{T}, CancellationToken)"/>.</exception>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public static IAsyncEnumerable<JsonMessage<T>> ReadJsonMessagesAsync<T>(this Transport transport, JsonSerializerOptions? options = null, CancellationToken cancellationToken = default) =>
        transport.ReadJsonMessagesAsync(JsonContract.Of<T>(options), cancellationToken);

    /// <summary>Sends a value as JSON. See <see cref="Transport.SendAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    /// <typeparam name="T">What is sent.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The message.</param>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    /// <param name="cancellationToken">Takes the message back, or stops waiting for its fate.</param>
    public static Task<SendOutcome> SendJsonAsync<T>(this Transport transport, T value, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default) =>
        (transport ?? throw new ArgumentNullException(nameof(transport))).SendJsonAsync(JsonSerializer.SerializeToUtf8Bytes(value, typeInfo), cancellationToken);

    /// <summary>Sends a value as JSON, by reflection. See <see cref="Transport.SendAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    /// <typeparam name="T">What is sent.</typeparam>
    /// <param name="transport">The transport.</param>
    /// <param name="value">The message.</param>
    /// <param name="options">How JSON is written and read; <see langword="null"/> for <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="cancellationToken">Takes the message back, or stops waiting for its fate.</param>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public static Task<SendOutcome> SendJsonAsync<T>(this Transport transport, T value, JsonSerializerOptions? options = null, CancellationToken cancellationToken = default) =>
        transport.SendJsonAsync(value, JsonContract.Of<T>(options), cancellationToken);
}
