namespace Perennial;

/// <summary>Specifies what a transport does when a response is closed in an orderly way, without an end marker.</summary>
public enum EndOfStreamPolicy
{
    /// <summary>The end of the response ends the stream.</summary>
    Complete,

    /// <summary>An end without a marker is a lost connection: the transport reconnects and resumes.</summary>
    RequireMarker,

    /// <summary>The stream never ends: the transport reconnects and resumes.</summary>
    Reconnect,
}
