using Perennial.Http;

namespace Perennial;

/// <summary>
/// What a transport of <see cref="PerennialChatClient"/> must do: post a request, or read on at a resume point. Immutable.
/// </summary>
public sealed record ChatTransportRequest
{
    /// <summary>Gets the URL to post to.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>Gets the body to post, or <see langword="null"/> if the answer is read on at <see cref="ResumeFrom"/>.</summary>
    public RequestBody? Body { get; init; }

    /// <summary>Gets where to read on, or <see langword="null"/> if a new answer is asked for.</summary>
    public ResumePoint? ResumeFrom { get; init; }
}
