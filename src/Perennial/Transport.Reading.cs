using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Perennial.Engine;

namespace Perennial;

/// <content>Its messages as a sequence.</content>
public abstract partial class Transport
{
    /// <summary>
    /// The messages, each once and in order; connects on first use. The sequence ends when the stream completed or was stopped or
    /// closed, after all messages that had arrived, and throws when it was interrupted or failed. Leaving the loop leaves the
    /// transport connected; another loop goes on where this one stopped.
    /// </summary>
    /// <param name="cancellationToken">Ends the reading, not the transport.</param>
    /// <exception cref="InvalidOperationException"><see cref="MessageReceived"/> has a handler, or another loop is reading.</exception>
    /// <exception cref="TransportException">While reading: how the stream failed or was interrupted.</exception>
    public IAsyncEnumerable<StreamMessage> ReadAllAsync(CancellationToken cancellationToken = default) => _engine.Read(cancellationToken);

    /// <summary>The messages, parsed as JSON. Like <see cref="ReadAllAsync"/> in everything else.</summary>
    /// <typeparam name="T">What each message describes.</typeparam>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    /// <param name="cancellationToken">Ends the reading, not the transport.</param>
    /// <exception cref="TransportException">
    /// As for <see cref="ReadAllAsync"/>; and with <see cref="TransportErrorCode.InvalidMessage"/> for a message that does not fit,
    /// after which another loop goes on with the next one.
    /// </exception>
    public IAsyncEnumerable<T?> ReadJsonAsync<T>(JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        return new JsonReader<T>(ReadAllAsync(cancellationToken), typeInfo);
    }

    /// <summary>The messages, parsed as JSON, each with its id and event type. Like <see cref="ReadAllAsync"/> in everything else.</summary>
    /// <typeparam name="T">What each message describes.</typeparam>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    /// <param name="cancellationToken">Ends the reading, not the transport.</param>
    /// <exception cref="TransportException">As for <see cref="ReadJsonAsync{T}(JsonTypeInfo{T}, CancellationToken)"/>.</exception>
    public IAsyncEnumerable<JsonMessage<T>> ReadJsonMessagesAsync<T>(JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        return new JsonReader<T>(ReadAllAsync(cancellationToken), typeInfo);
    }

    /// <summary>The messages, parsed as JSON by reflection. Like <see cref="ReadAllAsync"/> in everything else.</summary>
    /// <typeparam name="T">What each message describes.</typeparam>
    /// <param name="options">How JSON is written and read; <see langword="null"/> for <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="cancellationToken">Ends the reading, not the transport.</param>
    /// <exception cref="TransportException">As for <see cref="ReadJsonAsync{T}(JsonTypeInfo{T}, CancellationToken)"/>.</exception>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public IAsyncEnumerable<T?> ReadJsonAsync<T>(JsonSerializerOptions? options = null, CancellationToken cancellationToken = default) =>
        ReadJsonAsync(JsonContract.Of<T>(options), cancellationToken);

    /// <summary>
    /// The messages, parsed as JSON by reflection, each with its id and event type. Like <see cref="ReadAllAsync"/> in everything else.
    /// </summary>
    /// <typeparam name="T">What each message describes.</typeparam>
    /// <param name="options">How JSON is written and read; <see langword="null"/> for <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="cancellationToken">Ends the reading, not the transport.</param>
    /// <exception cref="TransportException">As for <see cref="ReadJsonAsync{T}(JsonTypeInfo{T}, CancellationToken)"/>.</exception>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public IAsyncEnumerable<JsonMessage<T>> ReadJsonMessagesAsync<T>(JsonSerializerOptions? options = null, CancellationToken cancellationToken = default) =>
        ReadJsonMessagesAsync(JsonContract.Of<T>(options), cancellationToken);
}
