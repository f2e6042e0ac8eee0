namespace Perennial.Requests;

/// <summary>How one request waits for its replies. Immutable; every value has a default.</summary>
public sealed record RequestOptions
{
    /// <summary>
    /// How long to wait for the reply, from the call on, waits for a connection included; in a stream of replies, for each next one from
    /// the moment the reader asks for it. Default 30 s; 1 ms to 24 h, or <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> for ever.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How a request is written and its replies are recognised. Default <see cref="RequestConvention.RequestId"/>.</summary>
    public RequestConvention Convention { get; init; } = RequestConvention.RequestId;

    /// <summary>
    /// Replies of a stream that may wait for their reader. Default 1000; 1 to 1,000,000. When they are that many the transport stops
    /// reading from the network, as it does when <see cref="BufferOptions.Capacity"/> is reached: nothing is lost, and everything behind
    /// them waits too, other replies included.
    /// </summary>
    public int BufferCapacity { get; init; } = 1000;

    internal static RequestOptions Default { get; } = new();

    /// <summary>Checks every value. Called for each request.</summary>
    /// <exception cref="ArgumentException">A value is missing or out of range; the message names it and what is accepted.</exception>
    public void Validate()
    {
        OptionCheck.RangeOrInfinite(Timeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(24), nameof(Timeout));
        OptionCheck.NotNull(Convention, nameof(Convention));
        OptionCheck.NotNull(Convention.Write, $"{nameof(Convention)}.{nameof(Convention.Write)}");
        OptionCheck.NotNull(Convention.Read, $"{nameof(Convention)}.{nameof(Convention.Read)}");
        OptionCheck.Range(BufferCapacity, 1, 1_000_000, nameof(BufferCapacity));
    }
}
