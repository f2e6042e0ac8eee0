using System.Diagnostics.CodeAnalysis;
using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>Options for <see cref="HttpStreamTransport"/>. Only <see cref="TransportOptions.Endpoint"/> has no default.</summary>
public sealed record HttpStreamTransportOptions : HttpTransportOptions
{
    /// <summary>Creates options with the default values.</summary>
    public HttpStreamTransportOptions()
    {
    }

    /// <summary>Copies the options that all transports over HTTP have in common.</summary>
    [SetsRequiredMembers]
    internal HttpStreamTransportOptions(HttpTransportOptions shared)
        : base(shared)
    {
    }

    /// <summary>Gets how the body is divided into messages. Default <see cref="StreamFraming.Ndjson"/>.</summary>
    public StreamFraming Framing { get; init; }

    /// <summary>
    /// Gets whether plain text is accepted besides JSON lines. Default <see langword="false"/>. Applies to a response without a content
    /// type, or with text/plain or application/octet-stream, that starts neither as JSON nor as server-sent events. If
    /// <see langword="true"/>, its bytes are messages as they arrive (<see cref="StreamMessage.IsChunk"/>); otherwise they are read as JSON
    /// lines.
    /// </summary>
    public bool AllowPlainText { get; init; }

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        OptionCheck.Defined(Framing, nameof(Framing));
    }
}

/// <summary>Specifies how a response body is divided into messages.</summary>
public enum StreamFraming
{
    /// <summary>
    /// One JSON value per line, ended by LF or CR LF. Blank lines are ignored. A line that cannot be JSON, judged by its first and last
    /// characters, is reported (<see cref="Transport.ErrorOccurred"/>) and skipped; other errors are found when the application parses the
    /// message. The response must have a JSON content type, or none, or text/plain or application/octet-stream. In the last three cases the
    /// first bytes determine whether the body is server-sent events, which are then read as such.
    /// </summary>
    Ndjson,

    /// <summary>
    /// All bytes that arrive together are one message, whatever the content type. The network determines where the messages end. For data
    /// that needs no framing.
    /// </summary>
    Raw,
}
