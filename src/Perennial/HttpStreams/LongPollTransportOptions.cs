using System.Diagnostics.CodeAnalysis;
using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>What a <see cref="LongPollTransport"/> can be told. Only <see cref="TransportOptions.Endpoint"/> has no default.</summary>
public sealed record LongPollTransportOptions : HttpTransportOptions
{
    /// <summary>The defaults.</summary>
    public LongPollTransportOptions()
    {
    }

    /// <summary>What another transport over HTTP was told, as far as it concerns this one.</summary>
    [SetsRequiredMembers]
    internal LongPollTransportOptions(HttpTransportOptions shared)
        : base(shared)
    {
    }

    /// <summary>
    /// The least time from the start of one request to the start of the next; after an error the reconnect delay counts instead.
    /// Default 250 ms; 0 to 1 min, and less than <see cref="TransportOptions.IdleTimeout"/>.
    /// </summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        OptionCheck.Range(Interval, TimeSpan.Zero, TimeSpan.FromMinutes(1), nameof(Interval));
        OptionCheck.Require(
            IdleTimeout is not { } idle || idle == Timeout.InfiniteTimeSpan || idle > Interval,
            nameof(IdleTimeout),
            $"{nameof(IdleTimeout)} must be longer than {nameof(Interval)}: between polls nothing can be heard.");
        OptionCheck.Require(EffectiveMethod == HttpMethod.Get, nameof(Method), "Long polling repeats its request: it is a GET without a Body.");
    }
}
