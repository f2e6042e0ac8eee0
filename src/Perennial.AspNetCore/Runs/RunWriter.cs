using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore;

/// <summary>Writes the events of a run. Each event is numbered and recorded before any reader gets it.</summary>
/// <remarks>
/// <para>Safe from any thread. Concurrent writes are recorded whole, in one order for all readers. Writes never wait for readers.</para>
/// <para>
/// An event type is any text without CR, LF and NUL that does not start with <c>perennial.</c>, which is reserved for the server.
/// </para>
/// <para>
/// Data is UTF-8 text. Readers get CR, LF and CRLF inside it as LF, because the event stream format does not keep line endings (HTML
/// standard, section 9.2.6).
/// </para>
/// </remarks>
public sealed class RunWriter
{
    /// <summary>The warning of the overloads by reflection, for trimming and native compilation.</summary>
    internal const string NeedsReflection = "JSON is written by reflection. Use the overload that takes a JsonTypeInfo.";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly RunLog _log;
    private readonly CancellationToken _stop;
    private readonly long _maxBytes;
    private long _bytes;

    internal RunWriter(RunLog log, CancellationToken stop, long? maxBytes = null)
    {
        _log = log;
        _stop = stop;
        _maxBytes = maxBytes ?? long.MaxValue;
    }

    /// <summary>Records one event with text as its data.</summary>
    /// <param name="text">The data; may be empty.</param>
    /// <param name="eventType">The event's type; null or empty for none, which readers see as <c>message</c>.</param>
    /// <param name="cancellationToken">Checked before the event is recorded.</param>
    /// <returns>Completes once the event is recorded.</returns>
    /// <exception cref="ArgumentException">The event type is refused, or the text holds half a surrogate pair.</exception>
    /// <exception cref="RunFailedException">
    /// The run reached <see cref="PerennialServerOptions.MaxBytesPerRun"/> and has ended as failed.
    /// </exception>
    /// <exception cref="OperationCanceledException">The run was stopped, or the token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The run has ended otherwise.</exception>
    /// <exception cref="RunStoreException">The store cannot be used. Whether the event is recorded is unknown.</exception>
    public ValueTask WriteAsync(string text, string? eventType = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return AppendAsync(TextEvent(text, eventType), cancellationToken);
    }

    /// <summary>Records one event without a type, with text as its data.</summary>
    /// <param name="text">The data; may be empty.</param>
    /// <param name="cancellationToken">Checked before the event is recorded.</param>
    /// <returns>Completes once the event is recorded.</returns>
    /// <remarks>Throws as <see cref="WriteAsync(string, string?, CancellationToken)"/>.</remarks>
    public ValueTask WriteAsync(string text, CancellationToken cancellationToken) => WriteAsync(text, eventType: null, cancellationToken);

    /// <summary>Records one event with UTF-8 bytes as its data. The bytes are copied before the call returns.</summary>
    /// <param name="utf8">The data; may be empty.</param>
    /// <param name="eventType">The event's type; null or empty for none, which readers see as <c>message</c>.</param>
    /// <param name="cancellationToken">Checked before the event is recorded.</param>
    /// <returns>Completes once the event is recorded.</returns>
    /// <exception cref="ArgumentException">The event type is refused, or the bytes are not UTF-8.</exception>
    /// <exception cref="RunFailedException">
    /// The run reached <see cref="PerennialServerOptions.MaxBytesPerRun"/> and has ended as failed.
    /// </exception>
    /// <exception cref="OperationCanceledException">The run was stopped, or the token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The run has ended otherwise.</exception>
    /// <exception cref="RunStoreException">The store cannot be used. Whether the event is recorded is unknown.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> utf8, string? eventType = null, CancellationToken cancellationToken = default)
    {
        if (!Utf8.IsValid(utf8.Span))
        {
            throw new ArgumentException("The data must be valid UTF-8.", nameof(utf8));
        }

        return AppendAsync(new RunEvent { EventType = eventType, Data = utf8.ToArray(), Kind = RunDataKind.Text }, cancellationToken);
    }

    /// <summary>Records one event with a value as JSON.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">The value to serialize.</param>
    /// <param name="typeInfo">How to serialize it, without reflection.</param>
    /// <param name="eventType">The event's type; null or empty for none, which readers see as <c>message</c>.</param>
    /// <param name="cancellationToken">Checked before the event is recorded.</param>
    /// <returns>Completes once the event is recorded.</returns>
    /// <exception cref="ArgumentException">The event type is refused.</exception>
    /// <exception cref="JsonException">The value cannot be serialized.</exception>
    /// <exception cref="RunFailedException">
    /// The run reached <see cref="PerennialServerOptions.MaxBytesPerRun"/> and has ended as failed.
    /// </exception>
    /// <exception cref="OperationCanceledException">The run was stopped, or the token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The run has ended otherwise.</exception>
    /// <exception cref="RunStoreException">The store cannot be used. Whether the event is recorded is unknown.</exception>
    public ValueTask WriteJsonAsync<T>(
        T value, JsonTypeInfo<T> typeInfo, string? eventType = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        return AppendAsync(new RunEvent
        {
            EventType = eventType,
            Data = JsonSerializer.SerializeToUtf8Bytes(value, typeInfo),
            Kind = RunDataKind.Json,
        }, cancellationToken);
    }

    /// <summary>Records one event with a value as JSON, with the platform's web defaults: camel case.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">The value to serialize.</param>
    /// <param name="eventType">The event's type; null or empty for none, which readers see as <c>message</c>.</param>
    /// <param name="cancellationToken">Checked before the event is recorded.</param>
    /// <returns>Completes once the event is recorded.</returns>
    /// <remarks>Throws as <see cref="WriteJsonAsync{T}(T, JsonTypeInfo{T}, string?, CancellationToken)"/>.</remarks>
    [RequiresUnreferencedCode(NeedsReflection)]
    [RequiresDynamicCode(NeedsReflection)]
    public ValueTask WriteJsonAsync<T>(T value, string? eventType = null, CancellationToken cancellationToken = default) =>
        AppendAsync(new RunEvent
        {
            EventType = eventType,
            Data = JsonSerializer.SerializeToUtf8Bytes(value, JsonSerializerOptions.Web),
            Kind = RunDataKind.Json,
        }, cancellationToken);

    /// <summary>Records one event with any bytes as its data. The bytes are copied before the call returns.</summary>
    /// <param name="bytes">The data; may be empty. A reader over SSE, which carries only text, gets it as base64.</param>
    /// <param name="eventType">The event's type; null or empty for none, which readers see as <c>message</c>.</param>
    /// <param name="cancellationToken">Checked before the event is recorded.</param>
    /// <returns>Completes once the event is recorded.</returns>
    /// <exception cref="ArgumentException">The event type is refused.</exception>
    /// <exception cref="RunFailedException">
    /// The run reached <see cref="PerennialServerOptions.MaxBytesPerRun"/> and has ended as failed.
    /// </exception>
    /// <exception cref="OperationCanceledException">The run was stopped, or the token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The run has ended otherwise.</exception>
    /// <exception cref="RunStoreException">The store cannot be used. Whether the event is recorded is unknown.</exception>
    public ValueTask WriteBinaryAsync(
        ReadOnlyMemory<byte> bytes, string? eventType = null, CancellationToken cancellationToken = default) =>
        AppendAsync(new RunEvent { EventType = eventType, Data = bytes.ToArray(), Kind = RunDataKind.Binary }, cancellationToken);

    /// <exception cref="ArgumentException">The text holds half a surrogate pair.</exception>
    internal static RunEvent TextEvent(string text, string? eventType) =>
        new RunEvent { EventType = eventType, Data = StrictUtf8.GetBytes(text), Kind = RunDataKind.Text };

    private ValueTask AppendAsync(RunEvent item, CancellationToken cancellationToken)
    {
        RefuseBadEventType(item.EventType);
        cancellationToken.ThrowIfCancellationRequested();
        var appending = BeginAppend(item, cancellationToken);
        if (!appending.IsCompletedSuccessfully)
        {
            return FinishAsync(appending, item.Data.Length);
        }

        var outcome = appending.Result.Outcome;
        if (outcome != AppendOutcome.Appended)
        {
            return RefuseAsync(outcome);
        }

        Count(item.Data.Length);
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Passes an event to the store. The caller must finish the events in the order of the calls; several may be under way.
    /// </summary>
    internal ValueTask<AppendResult> BeginAppend(RunEvent item, CancellationToken cancellationToken)
    {
        if (Interlocked.Add(ref _bytes, item.Size) > _maxBytes)
        {
            return ValueTask.FromResult(new AppendResult { Outcome = AppendOutcome.TooLarge });
        }

        return _log.AppendAsync(item, cancellationToken);
    }

    /// <summary>Undoes the pass of an event that the store did not accept, so that it can be passed again.</summary>
    internal void TakeBack(RunEvent item) => Interlocked.Add(ref _bytes, -item.Size);

    /// <summary>Waits until an event is recorded, and throws if it is not.</summary>
    internal async ValueTask FinishAsync(ValueTask<AppendResult> appending, int bytes)
    {
        var outcome = (await appending.ConfigureAwait(false)).Outcome;
        if (outcome != AppendOutcome.Appended)
        {
            await RefuseAsync(outcome).ConfigureAwait(false);
        }
        else
        {
            Count(bytes);
        }
    }

    private static void Count(int bytes)
    {
        PerennialServerTelemetry.Events.Add(1);
        PerennialServerTelemetry.Bytes.Add(bytes);
    }

    private static void RefuseBadEventType(string? eventType)
    {
        if (eventType is null)
        {
            return;
        }

        if (eventType.AsSpan().ContainsAny('\r', '\n', '\0'))
        {
            throw new ArgumentException("An event type must not contain CR, LF or NUL.", nameof(eventType));
        }

        if (eventType.StartsWith(EventNames.ReservedPrefix, StringComparison.Ordinal))
        {
            throw new ArgumentException(
                $"An event type must not start with '{EventNames.ReservedPrefix}', which is reserved for the server.", nameof(eventType));
        }
    }

    // A full run is ended here, so that a producer that catches the exception cannot go on with a hole in its log.
    private async ValueTask RefuseAsync(AppendOutcome outcome)
    {
        if (outcome is AppendOutcome.TooLarge or AppendOutcome.StoreFull)
        {
            var failure = outcome == AppendOutcome.TooLarge
                ? new RunFailedException("The run has reached the largest size that the server allows.", "run_too_large")
                : new RunFailedException("The server has no room left for runs.", "store_full");
            await _log.CloseAsync(RunEnd.Failed(failure.Message, failure.Code), CancellationToken.None).ConfigureAwait(false);
            throw failure;
        }

        if (outcome == AppendOutcome.Fenced)
        {
            throw new OperationCanceledException("Another producer has taken the run over; this one records no more events.", _stop);
        }

        var status = (await _log.GetStateAsync(CancellationToken.None).ConfigureAwait(false)).Status;
        throw status == RunStatus.Stopped
            ? new OperationCanceledException("The run was stopped.", _stop)
            : new InvalidOperationException("The run has ended; it accepts no more events.");
    }
}
