using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Perennial;

/// <content>Messages to the peer.</content>
public abstract partial class Transport
{
    /// <summary>Sends text. See <see cref="SendAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    /// <param name="text">The message.</param>
    /// <param name="cancellationToken">Takes the message back, or stops waiting for its fate.</param>
    public Task<SendOutcome> SendAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _engine.SendAsync(Encoding.UTF8.GetBytes(text), OutgoingKind.Text, cancellationToken);
    }

    /// <summary>
    /// Sends bytes. Messages leave one behind the other in the order of the calls, and wait in a bounded queue while there is no
    /// connection; connects on first use.
    /// </summary>
    /// <param name="data">
    /// The message. It must not change until the task completes, nor after a task that was cancelled or does not know the message's fate:
    /// it may still be on its way.
    /// </param>
    /// <param name="cancellationToken">Takes the message back, or stops waiting for its fate.</param>
    /// <returns>What is known of the message.</returns>
    /// <exception cref="ArgumentException">The message is larger than <see cref="SendOptions.MaxMessageBytes"/>.</exception>
    /// <exception cref="TransportException">
    /// It could not be sent, the queue is full, or the transport is closed or failed. <see cref="TransportException.Delivery"/> says
    /// whether the peer may have it.
    /// </exception>
    /// <exception cref="NotSupportedException">The protocol cannot send.</exception>
    public Task<SendOutcome> SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
        _engine.SendAsync(data, OutgoingKind.Binary, cancellationToken);

    /// <summary>Sends a value as JSON. See <see cref="SendAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    /// <typeparam name="T">What is sent.</typeparam>
    /// <param name="value">The message.</param>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    /// <param name="cancellationToken">Takes the message back, or stops waiting for its fate.</param>
    public Task<SendOutcome> SendJsonAsync<T>(T value, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default) =>
        _engine.SendAsync(JsonSerializer.SerializeToUtf8Bytes(value, typeInfo), OutgoingKind.Json, cancellationToken);

    /// <summary>Sends a value as JSON, by reflection. See <see cref="SendAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    /// <typeparam name="T">What is sent.</typeparam>
    /// <param name="value">The message.</param>
    /// <param name="options">How JSON is written and read; <see langword="null"/> for <see cref="JsonSerializerOptions.Web"/>.</param>
    /// <param name="cancellationToken">Takes the message back, or stops waiting for its fate.</param>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public Task<SendOutcome> SendJsonAsync<T>(T value, JsonSerializerOptions? options = null, CancellationToken cancellationToken = default) =>
        SendJsonAsync(value, JsonContract.Of<T>(options), cancellationToken);
}
