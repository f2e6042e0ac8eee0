namespace Perennial.Wire;

/// <summary>The media types in which a stream is read over HTTP.</summary>
internal static class MediaTypes
{
    /// <summary>Server-sent events.</summary>
    public const string EventStream = "text/event-stream";

    /// <summary>One JSON object per line.</summary>
    public const string JsonLines = "application/x-ndjson";

    /// <summary>One JSON document: the response to a poll.</summary>
    public const string Json = "application/json";
}
