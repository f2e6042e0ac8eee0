namespace Perennial.Http;

/// <summary>The format of a response body, as its first bytes show it.</summary>
internal enum BodyFormat
{
    /// <summary>Server-sent events.</summary>
    EventStream,

    /// <summary>JSON objects or arrays.</summary>
    Json,

    /// <summary>Anything else.</summary>
    Other,
}
