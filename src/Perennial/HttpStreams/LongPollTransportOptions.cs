using System.Diagnostics.CodeAnalysis;
using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>Options for <see cref="LongPollTransport"/>. Only <see cref="TransportOptions.Endpoint"/> has no default.</summary>
public sealed record LongPollTransportOptions : HttpTransportOptions
{
    /// <summary>Creates options with the default values.</summary>
    public LongPollTransportOptions()
    {
    }

    /// <summary>Copies the options that all transports over HTTP have in common.</summary>
    [SetsRequiredMembers]
    internal LongPollTransportOptions(HttpTransportOptions shared)
        : base(shared)
    {
    }

    /// <summary>
    /// Gets the shortest time from the start of one request to the start of the next. After an error the reconnect delay applies instead.
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
            $"{nameof(IdleTimeout)} must be longer than {nameof(Interval)}, because nothing arrives between polls.");
        OptionCheck.Require(
            EffectiveMethod == HttpMethod.Get, nameof(Method), "Long polling repeats its request, so it must be GET without a Body.");
    }
}
