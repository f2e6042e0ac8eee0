namespace Perennial.Engine;

/// <summary>A notice of a <see cref="MessageBuffer"/>.</summary>
/// <param name="Kind">The kind of the notice.</param>
/// <param name="Count">The number of messages dropped, or 0.</param>
/// <param name="Size">The number of messages waiting when the mark was crossed, or 0.</param>
internal readonly record struct BufferNotice(BufferNoticeKind Kind, long Count, int Size);

internal enum BufferNoticeKind
{
    Backpressure,
    Drained,
    Dropped,
}
