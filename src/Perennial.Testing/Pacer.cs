namespace Perennial.Testing;

/// <summary>Tells one flow where its pieces end and when the next one may go. Not thread-safe.</summary>
internal sealed class Pacer(Pacing pacing, TimeProvider time)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(1);   // what timers can do

    private int _index;
    private int _leftInPiece = pacing.Sizes[0];
    private long _paidUntil = time.GetTimestamp();   // when the bytes sent so far are paid for at the permitted rate

    /// <summary>How many of the available bytes may be sent in one go.</summary>
    public int Next(int available) => Math.Min(available, _leftInPiece);

    /// <summary>Takes note of bytes sent and says how long to wait now.</summary>
    public TimeSpan PauseAfter(int sent)
    {
        _leftInPiece -= sent;
        var isPieceDone = _leftInPiece == 0;
        if (isPieceDone)
        {
            _index = (_index + 1) % pacing.Sizes.Length;
            _leftInPiece = pacing.Sizes[_index];
        }
        if (pacing.BytesPerSecond is { } rate)
        {
            return Owed(sent, rate);
        }

        return isPieceDone ? pacing.Pause : TimeSpan.Zero;
    }

    // A debt too small to wait for is carried over, so that many small pieces are not faster than a few large ones.
    private TimeSpan Owed(int sent, int rate)
    {
        var now = time.GetTimestamp();
        _paidUntil = Math.Max(now, _paidUntil) + (long)((double)sent / rate * time.TimestampFrequency);
        var owed = time.GetElapsedTime(now, _paidUntil);
        return owed < ShortestPause ? TimeSpan.Zero : owed;
    }
}
