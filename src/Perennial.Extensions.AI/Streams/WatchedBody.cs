namespace Perennial.Streams;

/// <summary>The body of a server that is not Perennial, unchanged. Throws at its end if the answer is not whole. For one reader.</summary>
/// <param name="body">The body.</param>
/// <param name="owner">Disposed with the body.</param>
/// <param name="splitter">Splits the bytes into events.</param>
/// <param name="watch">Judges the events.</param>
internal sealed class WatchedBody(Stream body, IDisposable owner, EventSplitter splitter, AnswerWatch watch) : ReadOnlyBody
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count;
        try
        {
            count = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException) when (watch.IsWhole)
        {
            return 0;       // the line broke after the answer was complete
        }

        if (count > 0)
        {
            splitter.Add(buffer.Span[..count], watch);
        }
        else if (!buffer.IsEmpty && !splitter.HasGivenUp)
        {
            splitter.End(watch);
            ThrowIfNotWhole();
        }

        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
            owner.Dispose();
        }

        base.Dispose(disposing);
    }

    private void ThrowIfNotWhole()
    {
        if (watch.IsUnfinished)
        {
            throw new IOException(watch.Dialect is null
                ? "The response to the prompt ended before its first event."
                : watch.HasFailed
                ? $"The provider announced an error in the middle of the answer ({watch.Dialect})."
                : $"The response ended before the answer was complete: the end of the format {watch.Dialect} is missing.");
        }
    }
}
