using System.Text.Json;
using Microsoft.Extensions.AI;
using Perennial.Sse;

namespace Perennial;

/// <summary>Options for <see cref="PerennialChatClient"/>. Immutable; only <see cref="Endpoint"/> has no default.</summary>
public sealed record PerennialChatClientOptions
{
    /// <summary>Gets the absolute URL that answers a POST with a run, http or https.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>
    /// Gets a function that creates the transport of one answer. It is called once per answer, and the client disposes the transport.
    /// Default
    /// <see langword="null"/>: an <see cref="SseTransport"/> with <see cref="Services"/>, and otherwise with its default options.
    /// </summary>
    /// <remarks>
    /// Pass <see cref="ChatTransportRequest.Body"/> and <see cref="ChatTransportRequest.ResumeFrom"/> on to the options of the transport,
    /// and set there what the default does not: headers, credentials, retries. Set <see cref="TransportOptions.Classify"/> to
    /// <see cref="EndsOnlyByProtocol"/>, as the default does, so that only the end event of a Perennial server completes an answer.
    /// </remarks>
    public Func<ChatTransportRequest, Transport>? CreateTransport { get; init; }

    /// <summary>
    /// Gets clock, random source, logging and HTTP handler of the default transport. Default <see cref="TransportServices.Default"/>.
    /// </summary>
    public TransportServices Services { get; init; } = TransportServices.Default;

    /// <summary>
    /// Gets what happens to the answer if the caller cancels, or leaves the loop before the end. Default
    /// <see cref="ChatCancellation.Leave"/>.
    /// </summary>
    public ChatCancellation OnCancel { get; init; }

    /// <summary>
    /// Gets how long a caller that cancels waits for the server to confirm a stop. Default 5 s; 1 ms to 1 h. Used only with
    /// <see cref="ChatCancellation.Stop"/>. Without a confirmation in this time the answer may go on.
    /// </summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets the JSON options for updates, for content types of your own. Default <see langword="null"/>:
    /// <see cref="AIJsonUtilities.DefaultOptions"/>.
    /// </summary>
    public JsonSerializerOptions? SerializerOptions { get; init; }

    /// <summary>
    /// Gets a classifier for which no message is an end or an error, so that only the events of Perennial's protocol end the stream. A
    /// response of a server that does not speak it never completes.
    /// </summary>
    public static MessageClassifier EndsOnlyByProtocol { get; } = static (in StreamMessage _) => StreamSignal.None;

    /// <summary>Validates every value. The constructor of the client calls it.</summary>
    /// <exception cref="ArgumentException">A value is missing, malformed or out of range; the message names it and what is
    /// accepted.</exception>
    public void Validate()
    {
        Require(
            Endpoint is { IsAbsoluteUri: true, Scheme: "http" or "https" },
            nameof(Endpoint),
            $"{nameof(Endpoint)} must be an absolute http or https URL.");
        Require(Services is not null, nameof(Services), $"{nameof(Services)} must not be null.");
        Require(
            Enum.IsDefined(OnCancel),
            nameof(OnCancel),
            $"{nameof(OnCancel)} must be {ChatCancellation.Leave} or {ChatCancellation.Stop}, not {OnCancel}.");
        Require(
            StopTimeout >= TimeSpan.FromMilliseconds(1) && StopTimeout <= TimeSpan.FromHours(1),
            nameof(StopTimeout),
            $"{nameof(StopTimeout)} must be from 1 ms to 1 h, not {StopTimeout}.");
    }

    private static void Require(bool isMet, string member, string message)
    {
        if (!isMet)
        {
            throw new ArgumentException(message, member);
        }
    }
}
