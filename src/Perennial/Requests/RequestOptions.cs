namespace Perennial.Requests;

/// <summary>Options for one request. Immutable; every value has a default.</summary>
public sealed record RequestOptions
{
    /// <summary>
    /// Gets how long to wait for the reply, from the call on, including the wait for a connection. In a stream of replies it limits the
    /// wait for each reply, from the time the reader requests it. Default 30 s; 1 ms to 24 h, or
    /// <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets the convention that writes the request and recognizes its replies. Default <see cref="RequestConvention.RequestId"/>.
    /// </summary>
    public RequestConvention Convention { get; init; } = RequestConvention.RequestId;

    /// <summary>
    /// Gets the number of replies in a stream of replies that may wait for their reader. Default 1000; 1 to 1,000,000. When the limit is
    /// reached, the transport stops reading from the network, as it does at <see cref="BufferOptions.Capacity"/>. No message is lost, but
    /// all later messages wait, including replies to other requests.
    /// </summary>
    public int BufferCapacity { get; init; } = 1000;

    internal static RequestOptions Default { get; } = new();

    /// <summary>Validates every value. Called for each request.</summary>
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
