using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>What a <see cref="LongPollTransport"/> can be told. Only <see cref="TransportOptions.Endpoint"/> has no default.</summary>
public sealed record LongPollTransportOptions : HttpTransportOptions
{
    /// <summary>The least time from the start of one request to the start of the next. Default 250 ms; 0 to 1 h.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        OptionCheck.Range(Interval, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(Interval));
        if (EffectiveMethod != HttpMethod.Get)
        {
            throw OptionCheck.Contradiction(nameof(Method), "Long polling repeats its request: it is a GET without a Body.");
        }
    }
}
