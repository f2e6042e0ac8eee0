namespace Perennial;

/// <summary>What a message means for its stream in a <see cref="Dialect"/>.</summary>
public enum DialectSignal
{
    /// <summary>The stream goes on.</summary>
    None,

    /// <summary>The stream is complete. The message is only a marker and is not delivered.</summary>
    EndMarker,

    /// <summary>The stream is complete. The message is the last one and is delivered.</summary>
    Last,

    /// <summary>The stream is complete if the response ends now. The message is delivered.</summary>
    MayBeLast,

    /// <summary>The stream failed. The message describes the error.</summary>
    Failed,
}
