using System.Diagnostics.CodeAnalysis;
using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>What an <see cref="HttpStreamTransport"/> can be told. Only <see cref="TransportOptions.Endpoint"/> has no default.</summary>
public sealed record HttpStreamTransportOptions : HttpTransportOptions
{
    /// <summary>The defaults.</summary>
    public HttpStreamTransportOptions()
    {
    }

    /// <summary>What another transport over HTTP was told, as far as it concerns this one.</summary>
    [SetsRequiredMembers]
    internal HttpStreamTransportOptions(HttpTransportOptions shared)
        : base(shared)
    {
    }

    /// <summary>How the body is divided into messages. Default <see cref="StreamFraming.Ndjson"/>.</summary>
    public StreamFraming Framing { get; init; }

    /// <summary>
    /// Whether plain text is accepted besides JSON lines. Default <see langword="false"/>. Applies to a response without a content type,
    /// or with text/plain or application/octet-stream, that begins neither as JSON nor as server-sent events: if <see langword="true"/>,
    /// its bytes are messages as they arrive (<see cref="StreamMessage.IsChunk"/>); otherwise they are read as JSON lines.
    /// </summary>
    public bool AllowPlainText { get; init; }

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        OptionCheck.Defined(Framing, nameof(Framing));
    }
}

/// <summary>How a response body is divided into messages.</summary>
public enum StreamFraming
{
    /// <summary>
    /// One JSON value a line, ended by LF or CR LF; blank lines mean nothing. A line that cannot be JSON, by how it begins and ends, is
    /// reported (<see cref="Transport.ErrorOccurred"/>) and left out; damage inside is found by whoever parses the message. The response
    /// must be of a type that says JSON, or of one that says nothing: text/plain, application/octet-stream, none. The first bytes of the
    /// latter show whether they are server-sent events, which are read as such.
    /// </summary>
    Ndjson,

    /// <summary>
    /// Whatever arrives is a message at once, whatever its type. Where the pieces end is up to the network: for bytes that need no frame.
    /// </summary>
    Raw,
}
