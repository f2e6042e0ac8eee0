namespace Perennial.Http;

/// <summary>The format of a response body, recognized by its first bytes.</summary>
internal enum BodyFormat
{
    /// <summary>Server-sent events.</summary>
    EventStream,

    /// <summary>JSON objects or arrays.</summary>
    Json,

    /// <summary>Anything else.</summary>
    Other,
}
