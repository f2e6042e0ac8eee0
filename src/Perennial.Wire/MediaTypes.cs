namespace Perennial.Wire;

/// <summary>The media types of the forms of a stream over HTTP.</summary>
internal static class MediaTypes
{
    /// <summary>Server-sent events.</summary>
    public const string EventStream = "text/event-stream";

    /// <summary>One JSON object a line.</summary>
    public const string JsonLines = "application/x-ndjson";

    /// <summary>One JSON document: the answer to a poll.</summary>
    public const string Json = "application/json";
}
